package bucket

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/auth"
	"github.com/aws/smithy-go/encoding/httpbinding"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// noBody is the SHA-256 of nothing.
const noBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// mostError bounds what is read of an answer that is an error, in bytes.
const mostError = 64 << 10

// call is one request.
type call struct {
	Bucket *string // exported, and named as in the SDK's inputs, for the session's log
	method string
	key    string
	header http.Header
	body   io.ReadSeeker
	size   int64  // of the body, in bytes
	hash   string // SHA-256 of the body in hex; "" for none

	name, region string // of the signature
}

// do sends a call through the same steps as the SDK's own clients. The caller
// closes the body of the answer.
func (c *Client) do(ctx context.Context, operation string, in *call) (*smithyhttp.Response, error) {
	ctx = middleware.ClearStackValues(ctx)
	ctx = middleware.WithServiceID(ctx, s3.ServiceID)
	ctx = middleware.WithOperationName(ctx, operation)
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	retryer := aws.Retryer(retry.NewStandard())
	if c.cfg.Retryer != nil {
		retryer = c.cfg.Retryer()
	}
	steps := []func(*middleware.Stack) error{
		func(s *middleware.Stack) error {
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("Request", c.request), middleware.After)
		},
		awsmiddleware.AddClientRequestIDMiddleware,
		awsmiddleware.AddRequestUserAgentMiddleware,
		func(s *middleware.Stack) error {
			return s.Finalize.Add(retry.NewAttemptMiddleware(retryer, smithyhttp.RequestCloner), middleware.After)
		},
		func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", c.sign(in)), middleware.After)
		},
		func(s *middleware.Stack) error {
			return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Response", response), middleware.After)
		},
		awsmiddleware.AddRecordResponseTiming,
	}
	for _, step := range append(append(steps, c.cfg.APIOptions...), c.instrument) {
		if err := step(stack); err != nil {
			return nil, err
		}
	}
	sender := smithyhttp.ClientDo(awshttp.NewBuildableClient())
	if c.cfg.HTTPClient != nil {
		sender = c.cfg.HTTPClient
	}
	out, _, err := middleware.DecorateHandler(smithyhttp.NewClientHandler(sender), stack).Handle(ctx, in)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: s3.ServiceID, OperationName: operation, Err: err}
	}
	return out.(*smithyhttp.Response), nil
}

// request writes the request's line, headers and body.
func (c *Client) request(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	out middleware.SerializeOutput, meta middleware.Metadata, err error,
) {
	call, req := in.Parameters.(*call), in.Request.(*smithyhttp.Request)
	u, err := c.endpoint(ctx, call)
	if err != nil {
		return out, meta, err
	}
	req.Method, req.URL = call.method, u
	req.URL.Path = smithyhttp.JoinPath(u.Path, "/"+call.key)
	req.URL.RawPath = httpbinding.EscapePath(req.URL.Path, false)
	for k, v := range call.header {
		req.Header[k] = v
	}
	if call.body != nil {
		if req, err = req.SetStream(call.body); err != nil {
			return out, meta, err
		}
		req.ContentLength = call.size
	}
	in.Request = req
	return next.HandleSerialize(ctx, in)
}

// endpoint is where the bucket is asked, by S3's own rules: its name before the
// host or in the path, FIPS, dual stack and partitions.
func (c *Client) endpoint(ctx context.Context, in *call) (*url.URL, error) {
	p := s3.EndpointParameters{Bucket: in.Bucket, Region: &c.region, Endpoint: c.base(ctx)}
	// An endpoint of one's own has no host name for each bucket.
	p.ForcePathStyle = aws.Bool(p.Endpoint != nil)
	p.UseFIPS, p.UseDualStack = aws.Bool(false), aws.Bool(false)
	if state, ok := find(c.cfg, func(source interface {
		GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
	}) (aws.FIPSEndpointState, bool, error) {
		return source.GetUseFIPSEndpoint(ctx)
	}); ok {
		*p.UseFIPS = state == aws.FIPSEndpointStateEnabled
	}
	if state, ok := find(c.cfg, func(source interface {
		GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
	}) (aws.DualStackEndpointState, bool, error) {
		return source.GetUseDualStackEndpoint(ctx)
	}); ok {
		*p.UseDualStack = state == aws.DualStackEndpointStateEnabled
	}
	e, err := s3.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("find the endpoint of bucket %s: %w", *in.Bucket, err)
	}
	in.name, in.region = "s3", c.region
	options, _ := auth.GetAuthOptions(&e.Properties)
	for _, o := range options {
		if strings.Contains(o.SchemeID, "express") {
			return nil, fmt.Errorf("%s is a directory bucket, which is signed for in another way: name a general purpose bucket", *in.Bucket)
		}
		if name, ok := smithyhttp.GetSigV4SigningName(&o.SignerProperties); ok {
			in.name = name
		}
		if region, ok := smithyhttp.GetSigV4SigningRegion(&o.SignerProperties); ok {
			in.region = region
		}
	}
	return &e.URI, nil
}

// base is the endpoint that the configuration names instead of AWS's, nil for
// none: one for S3 before one for all services, the environment before the profile
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
func (c *Client) base(ctx context.Context) *string {
	_, all := os.LookupEnv("AWS_ENDPOINT_URL")
	if _, own := os.LookupEnv("AWS_ENDPOINT_URL_S3"); all && !own {
		return c.cfg.BaseEndpoint
	}
	if ignore, ok := find(c.cfg, func(source interface {
		GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
	}) (bool, bool, error) {
		return source.GetIgnoreConfiguredEndpoints(ctx)
	}); ok && ignore {
		return c.cfg.BaseEndpoint
	}
	if own, ok := find(c.cfg, func(source interface {
		GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
	}) (string, bool, error) {
		return source.GetServiceBaseEndpoint(ctx, s3.ServiceID)
	}); ok {
		return &own
	}
	return c.cfg.BaseEndpoint
}

// find asks the sources of the configuration, the first of which wins.
func find[Source, Value any](cfg aws.Config, ask func(Source) (Value, bool, error)) (value Value, found bool) {
	for _, s := range cfg.ConfigSources {
		if source, ok := s.(Source); ok {
			if value, found, err := ask(source); found && err == nil {
				return value, true
			}
		}
	}
	return value, false
}

// sign signs each try anew.
func (c *Client) sign(call *call) func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // S3 signs the path as it is sent
	return func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		out middleware.FinalizeOutput, meta middleware.Metadata, err error,
	) {
		req := in.Request.(*smithyhttp.Request)
		hash := call.hash
		if hash == "" {
			hash = noBody
		}
		req.Header.Set("X-Amz-Content-Sha256", hash)
		if !aws.IsCredentialsProvider(c.cfg.Credentials, aws.AnonymousCredentials{}) && c.cfg.Credentials != nil {
			keys, err := c.cfg.Credentials.Retrieve(ctx)
			if err != nil {
				return out, meta, fmt.Errorf("get identity: %w", err)
			}
			if err = signer.SignHTTP(ctx, keys, req.Request, hash, call.name, call.region, time.Now()); err != nil {
				return out, meta, err
			}
		}
		return next.HandleFinalize(ctx, in)
	}
}

// response turns an answer that is an error into one.
func response(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, meta middleware.Metadata, err error,
) {
	out, meta, err = next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, meta, err
	}
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, meta, fmt.Errorf("S3 was answered by %T", out.RawResponse)
	}
	if resp.StatusCode/100 == 2 {
		out.Result = resp
		return out, meta, nil
	}
	defer resp.Body.Close()
	said := struct{ Code, Message string }{}
	if xml.NewDecoder(io.LimitReader(resp.Body, mostError)).Decode(&said) != nil || said.Code == "" {
		said.Code, said.Message = strings.ReplaceAll(http.StatusText(resp.StatusCode), " ", ""), resp.Status
	}
	return out, meta, &awshttp.ResponseError{
		RequestID:     resp.Header.Get("x-amz-request-id"),
		ResponseError: &smithyhttp.ResponseError{Response: resp, Err: &smithy.GenericAPIError{Code: said.Code, Message: said.Message}},
	}
}
