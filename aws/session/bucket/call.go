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
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/httpbinding"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// serviceID is the SDK's name of S3, in user agents and configuration files.
const serviceID = "S3"

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
}

// do sends a call through the same steps as the SDK's own clients. The caller
// closes the body of the answer.
func (c *Client) do(ctx context.Context, operation string, in *call) (*smithyhttp.Response, error) {
	ctx = middleware.ClearStackValues(ctx)
	ctx = middleware.WithServiceID(ctx, serviceID)
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
	out, _, err := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(sender), stack).Handle(ctx, in)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: serviceID, OperationName: operation, Err: err}
	}
	return out.(*smithyhttp.Response), nil
}

// request writes the request's line, headers and body.
func (c *Client) request(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	out middleware.SerializeOutput, meta middleware.Metadata, err error,
) {
	call, req := in.Parameters.(*call), in.Request.(*smithyhttp.Request)
	u, err := c.endpoint(ctx, *call.Bucket)
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

// endpoint is where the bucket is asked: its name before the host, or in the path
// where no certificate or no host name would fit it
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html).
func (c *Client) endpoint(ctx context.Context, bucket string) (*url.URL, error) {
	if strings.HasSuffix(bucket, "--x-s3") {
		return nil, fmt.Errorf("%s is a directory bucket, which is signed for in another way: name a general purpose bucket", bucket)
	}
	if base := c.base(ctx); base != nil {
		u, err := url.Parse(*base)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("the endpoint %q that is set for S3 is no address", *base)
		}
		u.Path = smithyhttp.JoinPath(u.Path, "/"+bucket)
		return u, nil
	}
	fips, _ := find(c.cfg, func(source interface {
		GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error)
	}) (aws.FIPSEndpointState, bool, error) {
		return source.GetUseFIPSEndpoint(ctx)
	})
	dual, _ := find(c.cfg, func(source interface {
		GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error)
	}) (aws.DualStackEndpointState, bool, error) {
		return source.GetUseDualStackEndpoint(ctx)
	})
	suffix, err := c.suffix(ctx)
	if err != nil {
		return nil, err
	}
	host := "s3"
	if fips == aws.FIPSEndpointStateEnabled {
		if strings.HasSuffix(suffix, ".cn") { // https://docs.aws.amazon.com/general/latest/gr/s3.html
			return nil, fmt.Errorf("S3 has no FIPS endpoint in %s: unset AWS_USE_FIPS_ENDPOINT", c.region)
		}
		host += "-fips"
	}
	if dual == aws.DualStackEndpointStateEnabled {
		host += ".dualstack"
	}
	host += "." + c.region + "." + suffix
	if strings.Contains(bucket, ".") {
		return &url.URL{Scheme: "https", Host: host, Path: "/" + bucket}, nil
	}
	return &url.URL{Scheme: "https", Host: bucket + "." + host}, nil
}

// suffix is the end of every host of the region's partition, "amazonaws.com",
// as the rules for STS have it.
func (c *Client) suffix(ctx context.Context) (string, error) {
	e, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, sts.EndpointParameters{
		Region: &c.region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false), UseGlobalEndpoint: aws.Bool(false),
	})
	if err != nil {
		return "", fmt.Errorf("find the endpoint of S3 in %s: %w", c.region, err)
	}
	_, suffix, found := strings.Cut(e.URI.Host, "."+c.region+".")
	if !found {
		return "", fmt.Errorf("find the endpoint of S3 in %s: the partition of %s is not known", c.region, e.URI.Host)
	}
	return suffix, nil
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
		return source.GetServiceBaseEndpoint(ctx, serviceID)
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
			if err = signer.SignHTTP(ctx, keys, req.Request, hash, "s3", c.region, time.Now()); err != nil {
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
