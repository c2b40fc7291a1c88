package functions

import (
	"context"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// urlTime is the format of a URL's times (SDK: ISO 8601, with the zone's letter).
const urlTime = "2006-01-02T15:04:05.000000Z"

// urlName reads whose URL is meant: the function's, or an alias's. Recorded in
// test_url_config_exceptions.
func urlName(c wire.Call, function, qualifier *string) (name, error) {
	if q := val(qualifier); q != "" && !aliasName(q) {
		return name{}, badPattern(q, "qualifier", patternURLQualifier)
	}
	n, err := parseName(c, function, qualifier)
	if err == nil && n.Qualifier != "" && !aliasName(n.Qualifier) {
		err = badPattern(n.Qualifier, "qualifier", patternURLQualifier)
	}
	return n, err
}

// newAddress is a fresh one each time: a deleted address never comes back (SDK,
// DeleteFunctionUrlConfig).
func newAddress(region string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz234567"
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return "https://" + string(b[:]) + ".lambda-url." + region + ".on.aws/"
}

// checkCors keeps to the bounds of the SDK's Cors.
func checkCors(c *types.Cors) error {
	if c == nil {
		return nil
	}
	return between(c.MaxAge, "cors.maxAge", 0, 86400)
}

func (s *Store) createURL(_ context.Context, c wire.Call, in *lambda.CreateFunctionUrlConfigInput) (*types.FunctionUrlConfig, error) {
	n, err := urlName(c, in.FunctionName, in.Qualifier)
	if err == nil {
		err = first(
			oneOf(in.AuthType, "authType", types.FunctionUrlAuthType("").Values()),
			oneOf(in.InvokeMode, "invokeMode", types.InvokeMode("").Values()), checkCors(in.Cors))
	}
	if err == nil && in.AuthType == "" {
		err = missing("authType")
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _, err := s.lookup(c, n)
	if err != nil { // recorded in test_url_config_exceptions
		return nil, notFound("Function does not exist")
	}
	if f.URLs[n.Qualifier] != nil { // recorded in test_url_config_lifecycle, with both blanks
		return nil, conflict("Failed to create function url config for [functionArn = %s]. Error message:  FunctionUrlConfig exists for this Lambda function", n.arn(c))
	}
	now := ptr(c.Now.UTC().Format(urlTime))
	u := types.FunctionUrlConfig{
		AuthType: in.AuthType, Cors: in.Cors, InvokeMode: in.InvokeMode, FunctionArn: ptr(n.arn(c)),
		FunctionUrl: ptr(newAddress(c.Region)), CreationTime: now, LastModifiedTime: now,
	}
	if u.InvokeMode == "" {
		u.InvokeMode = types.InvokeModeBuffered
	}
	f.URLs[n.Qualifier] = &u
	out := u
	out.LastModifiedTime = nil // not in the answer's shape
	return &out, nil
}

// url finds a URL. The caller holds s.mu.
func (s *Store) url(c wire.Call, n name) (*function, *types.FunctionUrlConfig) {
	f := s.in(c).Functions[n.Function]
	if f == nil {
		return nil, nil
	}
	return f, f.URLs[n.Qualifier]
}

func (s *Store) getURL(_ context.Context, c wire.Call, in *lambda.GetFunctionUrlConfigInput) (*types.FunctionUrlConfig, error) {
	n, err := urlName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, u := s.url(c, n)
	if u == nil {
		return nil, gone()
	}
	return u, nil
}

func (s *Store) listURLs(_ context.Context, c wire.Call, in *lambda.ListFunctionUrlConfigsInput) (*lambda.ListFunctionUrlConfigsOutput, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = between(in.MaxItems, "maxItems", 1, 50)
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.in(c).Functions[n.Function]
	if f == nil { // recorded in test_url_config_list_paging
		return nil, notFound("Function does not exist")
	}
	page, next, err := cut(keys(f.URLs), in.Marker, in.MaxItems, 50) // SDK: 50 a page
	out := &lambda.ListFunctionUrlConfigsOutput{FunctionUrlConfigs: []types.FunctionUrlConfig{}, NextMarker: next}
	for _, q := range page {
		out.FunctionUrlConfigs = append(out.FunctionUrlConfigs, *f.URLs[q])
	}
	return out, err
}

func (s *Store) updateURL(_ context.Context, c wire.Call, in *lambda.UpdateFunctionUrlConfigInput) (*types.FunctionUrlConfig, error) {
	n, err := urlName(c, in.FunctionName, in.Qualifier)
	if err == nil {
		err = first(
			oneOf(in.AuthType, "authType", types.FunctionUrlAuthType("").Values()),
			oneOf(in.InvokeMode, "invokeMode", types.InvokeMode("").Values()), checkCors(in.Cors))
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.lookup(c, n); err != nil {
		return nil, notFound("Function does not exist")
	}
	f, had := s.url(c, n)
	if had == nil {
		return nil, gone()
	}
	u := *had
	if in.AuthType != "" {
		u.AuthType = in.AuthType
	}
	if in.Cors != nil {
		u.Cors = in.Cors
	}
	if in.InvokeMode != "" {
		u.InvokeMode = in.InvokeMode
	}
	u.LastModifiedTime = ptr(c.Now.UTC().Format(urlTime))
	f.URLs[n.Qualifier] = &u
	return &u, nil
}

func (s *Store) deleteURL(_ context.Context, c wire.Call, in *lambda.DeleteFunctionUrlConfigInput) (*lambda.DeleteFunctionUrlConfigOutput, error) {
	n, err := urlName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, u := s.url(c, n)
	if u == nil {
		return nil, gone()
	}
	delete(f.URLs, n.Qualifier)
	return &lambda.DeleteFunctionUrlConfigOutput{}, nil
}
