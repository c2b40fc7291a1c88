package snapshot

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
	if q == Latest {
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
			return c.add(ctx, KindVersions, "", "", nil, err)
		}
		for _, v := range page.Versions {
			if aws.ToString(v.Version) == Latest {
				continue
			}
			raw, err := Encode(v)
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
			return c.add(ctx, KindAlias, "", "", nil, err)
		}
		for _, alias := range page.Aliases {
			found = true
			if err := c.add(ctx, KindAlias, aws.ToString(alias.Name), aws.ToString(alias.Name), alias, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, KindAlias)
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
			return c.add(ctx, KindMapping, "", "", nil, err)
		}
		for _, m := range page.EventSourceMappings {
			target := aws.ToString(m.FunctionArn)
			if target != c.snap.ARN && !strings.HasPrefix(target, c.snap.ARN+":") {
				continue
			}
			found = true
			// Filters encrypted with the user's key come back only from a single read.
			one, err := c.api.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: m.UUID})
			if err := c.add(ctx, KindMapping, qualifierOf(target, c.snap.ARN), aws.ToString(m.UUID), one, err); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, KindMapping)
}

func (c *capturer) urls(ctx context.Context) error {
	pages := lambda.NewListFunctionUrlConfigsPaginator(c.api, &lambda.ListFunctionUrlConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, KindURL, "", "", nil, err)
		}
		for _, u := range page.FunctionUrlConfigs {
			found = true
			if err := c.add(ctx, KindURL, qualifierOf(aws.ToString(u.FunctionArn), c.snap.ARN), "", u, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, KindURL)
}

func (c *capturer) provisioned(ctx context.Context) error {
	pages := lambda.NewListProvisionedConcurrencyConfigsPaginator(c.api,
		&lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, KindProvisioned, "", "", nil, err)
		}
		for _, p := range page.ProvisionedConcurrencyConfigs {
			found = true
			if err := c.add(ctx, KindProvisioned, qualifierOf(aws.ToString(p.FunctionArn), c.snap.ARN), "", p, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, KindProvisioned)
}

func (c *capturer) asyncConfigs(ctx context.Context) error {
	pages := lambda.NewListFunctionEventInvokeConfigsPaginator(c.api,
		&lambda.ListFunctionEventInvokeConfigsInput{FunctionName: &c.name})
	found := false
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return c.add(ctx, KindAsync, "", "", nil, err)
		}
		for _, e := range page.FunctionEventInvokeConfigs {
			found = true
			if err := c.add(ctx, KindAsync, qualifierOf(aws.ToString(e.FunctionArn), c.snap.ARN), "", e, nil); err != nil {
				return err
			}
		}
	}
	return c.none(ctx, found, KindAsync)
}

// tags come from ListTags: GetFunction leaves them out without a word when the
// caller may not list them.
func (c *capturer) tags(ctx context.Context) error {
	got, err := c.api.ListTags(ctx, &lambda.ListTagsInput{Resource: &c.snap.ARN})
	if err == nil && len(got.Tags) == 0 {
		return c.none(ctx, false, KindTags)
	}
	return c.add(ctx, KindTags, "", "", got, err)
}

// reserved keeps zero and none apart: zero throttles every invocation.
func (c *capturer) reserved(ctx context.Context) error {
	got, err := c.api.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &c.name})
	if err == nil && got.ReservedConcurrentExecutions == nil {
		return c.none(ctx, false, KindReserved)
	}
	return c.add(ctx, KindReserved, "", "", got, err)
}

func (c *capturer) codeSigning(ctx context.Context) error {
	got, err := c.api.GetFunctionCodeSigningConfig(ctx, &lambda.GetFunctionCodeSigningConfigInput{FunctionName: &c.name})
	if err == nil && aws.ToString(got.CodeSigningConfigArn) == "" {
		return c.none(ctx, false, KindCodeSigning)
	}
	return c.add(ctx, KindCodeSigning, "", "", got, err)
}

func (c *capturer) recursion(ctx context.Context) error {
	got, err := c.api.GetFunctionRecursionConfig(ctx, &lambda.GetFunctionRecursionConfigInput{FunctionName: &c.name})
	return c.add(ctx, KindRecursion, "", "", got, err)
}

// scaling exists only on managed instances.
func (c *capturer) scaling(ctx context.Context) error {
	config, err := c.snap.ConfigOf("")
	if err != nil {
		return err
	}
	if config.CapacityProviderConfig == nil {
		return c.none(ctx, false, KindScaling)
	}
	got, err := c.api.GetFunctionScalingConfig(ctx, &lambda.GetFunctionScalingConfigInput{
		FunctionName: &c.name, Qualifier: aws.String(Latest)})
	return c.add(ctx, KindScaling, "", "", got, err)
}

// durable asks for running executions of a durable function.
func (c *capturer) durable(ctx context.Context) error {
	config, err := c.snap.ConfigOf("")
	if err != nil {
		return err
	}
	if config.DurableConfig == nil {
		return c.none(ctx, false, KindDurable)
	}
	got, err := c.api.ListDurableExecutionsByFunction(ctx, &lambda.ListDurableExecutionsByFunctionInput{
		FunctionName: &c.name, Statuses: []types.ExecutionStatus{types.ExecutionStatusRunning}, MaxItems: 1})
	if err == nil && len(got.DurableExecutions) == 0 {
		return c.none(ctx, false, KindDurable)
	}
	return c.add(ctx, KindDurable, "", "", got, err)
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
			return c.add(ctx, KindCode, qualifier, "", nil, err)
		}
		raw, err := Encode(got.Configuration)
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
		return c.add(ctx, KindCode, qualifier, "", where, nil)
	}
}

// runtime reads how runtime updates reach a version. Images have no runtime, and
// asking is an error.
func (c *capturer) runtime(qualifier string) func(context.Context) error {
	return func(ctx context.Context) error {
		if config, err := c.snap.ConfigOf(""); err != nil || config.PackageType == types.PackageTypeImage {
			return err
		}
		in := &lambda.GetRuntimeManagementConfigInput{FunctionName: &c.name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		got, err := c.api.GetRuntimeManagementConfig(ctx, in)
		return c.add(ctx, KindRuntime, qualifier, "", got, err)
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
		if err := c.add(ctx, KindPolicy, qualifier, "", pointer(classic), err); err != nil {
			return err
		}
		whole, err := c.api.GetResourcePolicy(ctx, &lambda.GetResourcePolicyInput{ResourceArn: &resource})
		if err == nil && aws.ToString(whole.Policy) == "" {
			whole = nil
		}
		return c.add(ctx, KindResourcePolicy, qualifier, "", pointer(whole), err)
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
	for _, q := range append([]string{""}, c.snap.Carried()...) {
		config, err := c.snap.ConfigOf(q)
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

// LayerValue is what is kept of a layer version.
type LayerValue struct {
	CodeSha256 string // base64
	CodeSize   int64  // bytes
}

func (c *capturer) layer(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		got, err := c.api.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &name})
		if err != nil || got.Content == nil {
			return c.add(ctx, KindLayer, "", name, nil, err)
		}
		return c.add(ctx, KindLayer, "", name, LayerValue{
			CodeSha256: aws.ToString(got.Content.CodeSha256), CodeSize: got.Content.CodeSize}, nil)
	}
}
