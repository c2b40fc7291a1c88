package switchover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// qualifierOf returns what follows an unqualified function ARN.
func qualifierOf(functionARN, unqualified string) string {
	q := strings.TrimPrefix(strings.TrimPrefix(functionARN, unqualified), ":")
	if q == latest {
		return ""
	}
	return q
}

func (c *capturer) versions(ctx context.Context) error {
	pages := lambda.NewListVersionsByFunctionPaginator(c.api, &lambda.ListVersionsByFunctionInput{FunctionName: &c.name})
	var versions []Version
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindVersions, "", "", nil, err)
		}
		for _, v := range page.Versions {
			if aws.ToString(v.Version) == latest {
				continue
			}
			raw, err := encode(v)
			if err != nil {
				return fmt.Errorf("keep version %s of %s: %w", aws.ToString(v.Version), c.name, err)
			}
			versions = append(versions, Version{Number: aws.ToString(v.Version), Config: raw})
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snap.Versions = append(c.snap.Versions, versions...)
	return nil
}

func (c *capturer) aliases(ctx context.Context) error {
	pages := lambda.NewListAliasesPaginator(c.api, &lambda.ListAliasesInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindAlias, "", "", nil, err)
		}
		for _, alias := range page.Aliases {
			found = true
			if err := c.add(ctx, kindAlias, aws.ToString(alias.Name), aws.ToString(alias.Name), alias, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, kindAlias)
}

// none files that a list was read and is empty.
func (c *capturer) none(ctx context.Context, found bool, kind string) error {
	if found {
		return nil
	}
	return c.add(ctx, kind, "", "", nil, nil)
}

// mappings lists the whole region's mappings: a function's are listed under its
// name, or under the ARN of the alias or version they invoke, never together.
func (c *capturer) mappings(ctx context.Context) error {
	pages := lambda.NewListEventSourceMappingsPaginator(c.api, &lambda.ListEventSourceMappingsInput{})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindMapping, "", "", nil, err)
		}
		for _, m := range page.EventSourceMappings {
			target := aws.ToString(m.FunctionArn)
			if target != c.snap.ARN && !strings.HasPrefix(target, c.snap.ARN+":") {
				continue
			}
			found = true
			// Filters encrypted with the user's key come back only from a single read.
			one, err := c.api.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID})
			if err := c.add(ctx, kindMapping, qualifierOf(target, c.snap.ARN), aws.ToString(m.UUID), one, err); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, kindMapping)
}

func (c *capturer) urls(ctx context.Context) error {
	pages := lambda.NewListFunctionUrlConfigsPaginator(c.api, &lambda.ListFunctionUrlConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindURL, "", "", nil, err)
		}
		for _, u := range page.FunctionUrlConfigs {
			found = true
			if err := c.add(ctx, kindURL, qualifierOf(aws.ToString(u.FunctionArn), c.snap.ARN), "", u, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, kindURL)
}

func (c *capturer) provisioned(ctx context.Context) error {
	pages := lambda.NewListProvisionedConcurrencyConfigsPaginator(c.api,
		&lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindProvisioned, "", "", nil, err)
		}
		for _, p := range page.ProvisionedConcurrencyConfigs {
			found = true
			if err := c.add(ctx, kindProvisioned, qualifierOf(aws.ToString(p.FunctionArn), c.snap.ARN), "", p, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, kindProvisioned)
}

func (c *capturer) asyncConfigs(ctx context.Context) error {
	pages := lambda.NewListFunctionEventInvokeConfigsPaginator(c.api,
		&lambda.ListFunctionEventInvokeConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, kindAsync, "", "", nil, err)
		}
		for _, e := range page.FunctionEventInvokeConfigs {
			found = true
			if err := c.add(ctx, kindAsync, qualifierOf(aws.ToString(e.FunctionArn), c.snap.ARN), "", e, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, kindAsync)
}

// tags come from ListTags: GetFunction leaves them out without a word when the
// caller may not list them.
func (c *capturer) tags(ctx context.Context) error {
	got, err := c.api.ListTags(ctx, &lambda.ListTagsInput{Resource: &c.snap.ARN})
	if err == nil && len(got.Tags) == 0 {
		return c.none(ctx, false, kindTags)
	}
	return c.add(ctx, kindTags, "", "", got, err)
}

// reserved keeps zero and none apart: zero throttles every invocation.
func (c *capturer) reserved(ctx context.Context) error {
	got, err := c.api.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &c.name})
	if err == nil && got.ReservedConcurrentExecutions == nil {
		return c.none(ctx, false, kindReserved)
	}
	return c.add(ctx, kindReserved, "", "", got, err)
}

func (c *capturer) codeSigning(ctx context.Context) error {
	got, err := c.api.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: &c.name})
	if err == nil && aws.ToString(got.CodeSigningConfigArn) == "" {
		return c.none(ctx, false, kindCodeSigning)
	}
	return c.add(ctx, kindCodeSigning, "", "", got, err)
}

func (c *capturer) recursion(ctx context.Context) error {
	got, err := c.api.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: &c.name})
	return c.add(ctx, kindRecursion, "", "", got, err)
}

// scaling exists only on managed instances.
func (c *capturer) scaling(ctx context.Context) error {
	config, err := c.snap.config("")
	if err != nil {
		return err
	}
	if config.CapacityProviderConfig == nil {
		return c.none(ctx, false, kindScaling)
	}
	got, err := c.api.GetFunctionScalingConfig(ctx, &lambda.GetFunctionScalingConfigInput{
		FunctionName: &c.name, Qualifier: aws.String(latest)})
	return c.add(ctx, kindScaling, "", "", got, err)
}

// durable asks for running executions of a durable function.
func (c *capturer) durable(ctx context.Context) error {
	config, err := c.snap.config("")
	if err != nil {
		return err
	}
	if config.DurableConfig == nil {
		return c.none(ctx, false, kindDurable)
	}
	got, err := c.api.ListDurableExecutionsByFunction(ctx, &lambda.ListDurableExecutionsByFunctionInput{
		FunctionName: &c.name, Statuses: []types.ExecutionStatus{types.ExecutionStatusRunning}, MaxItems: 1})
	if err == nil && len(got.DurableExecutions) == 0 {
		return c.none(ctx, false, kindDurable)
	}
	return c.add(ctx, kindDurable, "", "", got, err)
}

// code reads where the code of a version lies and the version's own
// configuration. The presigned link is a secret and expires: it is not kept.
func (c *capturer) code(qualifier string) func(context.Context) error {
	return func(ctx context.Context) error {
		in := &lambda.GetFunctionInput{FunctionName: &c.name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		got, err := c.api.GetFunction(ctx, in)
		if err != nil || got.Code == nil {
			return c.add(ctx, kindCode, qualifier, "", nil, err)
		}
		raw, err := encode(got.Configuration)
		if err != nil {
			return err
		}
		c.mu.Lock()
		if i := slices.IndexFunc(c.snap.Versions, func(v Version) bool { return v.Number == qualifier }); i >= 0 {
			c.snap.Versions[i].Config = raw
		}
		c.mu.Unlock()
		where := *got.Code
		where.Location = nil
		return c.add(ctx, kindCode, qualifier, "", where, nil)
	}
}

// runtime reads how runtime updates reach a version. Images have no runtime, and
// asking is an error.
func (c *capturer) runtime(qualifier string) func(context.Context) error {
	return func(ctx context.Context) error {
		if config, err := c.snap.config(""); err != nil || config.PackageType == types.PackageTypeImage {
			return err
		}
		in := &lambda.GetRuntimeManagementConfigInput{FunctionName: &c.name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		got, err := c.api.GetRuntimeManagementConfig(ctx, in)
		return c.add(ctx, kindRuntime, qualifier, "", got, err)
	}
}

// policy reads a qualifier's policy through both APIs: how each shows what the
// other wrote is not documented.
func (c *capturer) policy(qualifier string) func(context.Context) error {
	return func(ctx context.Context) error {
		in := &lambda.GetPolicyInput{FunctionName: &c.name}
		resource := c.snap.ARN
		if qualifier != "" {
			in.Qualifier = &qualifier
			resource += ":" + qualifier
		}
		classic, err := c.api.GetPolicy(ctx, in)
		if err == nil && aws.ToString(classic.Policy) == "" {
			classic = nil
		}
		if err := c.add(ctx, kindPolicy, qualifier, "", pointer(classic), err); err != nil {
			return err
		}
		whole, err := c.api.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &resource})
		if err == nil && aws.ToString(whole.Policy) == "" {
			whole = nil
		}
		return c.add(ctx, kindResourcePolicy, qualifier, "", pointer(whole), err)
	}
}

// pointer keeps a nil pointer from becoming a value.
func pointer[T any](p *T) any {
	if p == nil {
		return nil
	}
	return p
}

// layers returns a read for every distinct layer that is carried, to find out
// whether it can still be had.
func (c *capturer) layers() ([]func(context.Context) error, error) {
	var reads []func(context.Context) error
	asked := map[string]bool{}
	for _, q := range append([]string{""}, c.snap.carriedVersions()...) {
		config, err := c.snap.config(q)
		if err != nil {
			return nil, err
		}
		for _, l := range config.Layers {
			name := aws.ToString(l.Arn)
			if !asked[name] {
				asked[name] = true
				reads = append(reads, c.layer(name))
			}
		}
	}
	return reads, nil
}

// layerValue is what is kept of a layer version.
type layerValue struct {
	CodeSha256 string
	CodeSize   int64
}

func (c *capturer) layer(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		got, err := c.api.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &name})
		if err != nil || got.Content == nil {
			return c.add(ctx, kindLayer, "", name, nil, err)
		}
		return c.add(ctx, kindLayer, "", name, layerValue{
			CodeSha256: aws.ToString(got.Content.CodeSha256), CodeSize: got.Content.CodeSize}, nil)
	}
}
