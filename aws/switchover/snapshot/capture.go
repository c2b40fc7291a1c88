package snapshot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"

	"github.com/optlift/optlift/aws/session"
)

// captureCalls bounds the reads in flight; the session keeps to AWS's rates.
const captureCalls = 6

// Capture reads a function, by name or unqualified ARN, and everything attached
// to it. An attachment that could not be read is in the snapshot as Denied or
// Failed; only a function that can't be read at all, or that changes while it is
// read, is an error.
func Capture(ctx context.Context, api *lambda.Client, account, region, function string) (*Snapshot, error) {
	name, err := functionName(function, region)
	if err != nil {
		return nil, err
	}
	c := &capturer{api: api, name: name}
	if err := c.function(ctx, account, region); err != nil {
		return nil, fmt.Errorf("read function %s: %w", name, err)
	}
	// Aliases and versions first: the rest is asked for each of them.
	if err := c.together(ctx, c.versions, c.aliases, c.mappings, c.urls, c.provisioned, c.asyncConfigs); err != nil {
		return nil, err
	}
	rest := []func(context.Context) error{
		c.tags, c.reserved, c.codeSigning, c.recursion, c.scaling, c.durable,
		c.code(""), c.runtime(""), c.policy(""),
	}
	for _, a := range c.snap.All(KindAlias) {
		rest = append(rest, c.policy(a.Name))
	}
	for _, v := range c.snap.Versions {
		rest = append(rest, c.policy(v.Number))
	}
	if err := c.together(ctx, rest...); err != nil {
		return nil, err
	}
	// A version may be carried only because it has a policy of its own.
	var carried []func(context.Context) error
	for _, number := range c.snap.Carried() {
		carried = append(carried, c.code(number), c.runtime(number))
	}
	if err := c.together(ctx, carried...); err != nil {
		return nil, err
	}
	layers, err := c.layers()
	if err != nil {
		return nil, err
	}
	if err := c.together(ctx, layers...); err != nil {
		return nil, err
	}
	if err := c.unmoved(ctx); err != nil {
		return nil, err
	}
	c.sort()
	return c.snap, nil
}

// functionName takes a name or an unqualified ARN of the region.
func functionName(function, region string) (string, error) {
	name := function
	if parsed, err := arn.Parse(function); err == nil {
		resource, ok := strings.CutPrefix(parsed.Resource, "function:")
		switch {
		case parsed.Service != "lambda" || !ok:
			return "", fmt.Errorf("%s is not a function's ARN", session.Clean(function))
		case parsed.Region != region:
			return "", fmt.Errorf("function %s is in %s, not in %s", session.Clean(function), session.Clean(parsed.Region), region)
		}
		name = resource
	}
	if strings.Contains(name, ":") {
		return "", fmt.Errorf("%s names a version or an alias: a switch takes the whole function, so leave the qualifier out", session.Clean(function))
	}
	return name, nil
}

// capturer fills one snapshot.
type capturer struct {
	api  *lambda.Client
	name string

	mu   sync.Mutex // guards snap
	snap *Snapshot
}

func (c *capturer) together(ctx context.Context, reads ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(captureCalls)
	for _, read := range reads {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return read(ctx)
		})
	}
	return g.Wait()
}

// add files the answer to one read. Only ctx's end and an answer that can't be
// kept are errors.
func (c *capturer) add(ctx context.Context, kind, qualifier, name string, value any, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	a := Attachment{Kind: kind, Qualifier: qualifier, Name: name}
	a.Reading, a.Message = classify(err)
	if a.Reading == Present && value == nil {
		a.Reading = Absent
	}
	if a.Reading == Present {
		raw, err := Encode(value)
		if err != nil {
			return fmt.Errorf("keep the %s of %s: %w", a.What(), c.name, err)
		}
		a.Value = raw
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snap.Attachments = append(c.snap.Attachments, a)
	return nil
}

// classify turns a read's error into a Reading.
func classify(err error) (Reading, string) {
	var gone *types.ResourceNotFoundException
	switch {
	case err == nil:
		return Present, ""
	case errors.As(err, &gone):
		return Absent, ""
	case unsupported(err):
		return Absent, "the endpoint does not offer it"
	case session.KindOf(err) == session.Denied:
		return Denied, session.Explain(err)
	}
	return Failed, session.Explain(err)
}

// unsupported recognizes an endpoint that has no such operation. Some regions
// and partitions get new APIs later.
func unsupported(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "UnknownOperationException" || api.ErrorCode() == "InvalidAction") {
		return true
	}
	var gone *types.ResourceNotFoundException
	var response *smithyhttp.ResponseError
	if errors.As(err, &gone) || !errors.As(err, &response) {
		return false
	}
	switch response.HTTPStatusCode() {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

func (c *capturer) function(ctx context.Context, account, region string) error {
	got, err := c.api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &c.name})
	if err != nil {
		return err
	}
	raw, err := Encode(got.Configuration)
	if err != nil {
		return err
	}
	f := got.Configuration
	c.name = aws.ToString(f.FunctionName)
	c.snap = &Snapshot{
		Schema: 1, Account: account, Region: region,
		Function: c.name, ARN: strings.TrimSuffix(aws.ToString(f.FunctionArn), ":"+Latest), Taken: time.Now().UTC(),
		RevisionID: aws.ToString(f.RevisionId), CodeSHA256: aws.ToString(f.CodeSha256),
		Config: raw, Versions: []Version{},
	}
	return nil
}

// unmoved makes sure that what was read belongs together.
func (c *capturer) unmoved(ctx context.Context) error {
	got, err := c.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &c.name})
	if err != nil {
		return fmt.Errorf("read function %s again: %w", c.name, err)
	}
	if aws.ToString(got.RevisionId) != c.snap.RevisionID || aws.ToString(got.CodeSha256) != c.snap.CodeSHA256 {
		return fmt.Errorf("function %s was changed by somebody else while it was read: try again", c.name)
	}
	return nil
}

// sort makes equal functions give equal snapshots.
func (c *capturer) sort() {
	slices.SortFunc(c.snap.Versions, func(a, b Version) int { return byNumber(a.Number, b.Number) })
	slices.SortFunc(c.snap.Attachments, func(a, b Attachment) int {
		if n := strings.Compare(a.Kind, b.Kind); n != 0 {
			return n
		}
		if n := byNumber(a.Qualifier, b.Qualifier); n != 0 {
			return n
		}
		return strings.Compare(a.Name, b.Name)
	})
}
