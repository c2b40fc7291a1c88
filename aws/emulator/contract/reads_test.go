package contract

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestReads changes nothing: it is what a real account is asked.
func TestReads(t *testing.T) {
	t.Parallel()
	w := reading(t)
	missing := aws.String(w.name("none"))
	w.fact("who is calling", "aws-sdk-go-v2/service/sts: GetCallerIdentity", func(c *check) {
		out := must(c.sts.GetCallerIdentity(c.ctx, &sts.GetCallerIdentityInput{}))(c)
		if len(*out.Account) != 12 || !strings.Contains(*out.Arn, ":"+*out.Account+":") || aws.ToString(out.UserId) == "" {
			c.Errorf("%s", *out.Arn)
		}
	})
	w.fact("no page has more than 50 functions, none shows a state", sdk+"ListFunctions", func(c *check) {
		seen := map[string]bool{}
		for pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{}); pages.HasMorePages(); {
			page := must(pages.NextPage(c.ctx))(c).Functions
			if len(page) > 50 {
				c.Errorf("a page of %d", len(page))
			}
			for _, f := range page {
				if seen[*f.FunctionArn] || f.State != "" || f.LastUpdateStatus != "" || f.RuntimeVersionConfig != nil {
					c.Errorf("%s is listed twice, or with its state", *f.FunctionArn)
				}
				seen[*f.FunctionArn] = true
			}
		}
		if len(seen) == 0 {
			c.lacking("there is no function")
		}
	})
	w.fact("$LATEST is named in the list of all versions", recorded+"test_list_functions", func(c *check) {
		page := must(c.lambda.ListFunctions(c.ctx, &lambda.ListFunctionsInput{FunctionVersion: types.FunctionVersionAll}))(c)
		for _, f := range page.Functions {
			if !strings.HasSuffix(*f.FunctionArn, ":"+*f.Version) {
				c.Errorf("%s is version %s", *f.FunctionArn, *f.Version)
			}
		}
	})
	w.fact("an unknown FunctionVersion is refused", recorded+"test_list_functions", func(c *check) {
		_, err := c.lambda.ListFunctions(c.ctx, &lambda.ListFunctionsInput{FunctionVersion: "invalid"})
		if err == nil {
			c.Fatalf("it was accepted")
		}
		c.refused(err, validation, 400, "Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]")
	})
	w.fact("the limits of the account", quotas, func(c *check) {
		limit := must(c.lambda.GetAccountSettings(c.ctx, &lambda.GetAccountSettingsInput{}))(c).AccountLimit
		if limit == nil || limit.CodeSizeUnzipped != 262144000 || limit.CodeSizeZipped != 52428800 {
			c.Errorf("%+v", limit)
		}
	})
	w.fact("a function that is not there", recorded+"test_ops_on_nonexisting_fn", func(c *check) {
		_, err := c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: missing})
		c.refused(err, notFound, 404, "Function not found: "+c.arn("function:"+*missing))
		_, err = c.lambda.GetFunctionConfiguration(c.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: missing})
		c.refused(err, notFound, 404, "Function not found: "+c.arn("function:"+*missing))
		_, err = c.lambda.GetPolicy(c.ctx, &lambda.GetPolicyInput{FunctionName: missing})
		c.refused(err, notFound, 404, "")
	})
	w.fact("another region's function", recorded+"test_get_function_wrong_region", func(c *check) {
		elsewhere := "us-east-1"
		if c.region == elsewhere {
			elsewhere = "eu-west-1"
		}
		_, err := c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:" + elsewhere + ":" + c.account + ":function:f")})
		c.refused(err, notFound, 404, "Functions from '"+elsewhere+"' are not reachable in this region ('"+c.region+"')")
	})
	w.fact("a layer that is not there", recorded+"test_layer_exceptions", func(c *check) {
		_, err := c.lambda.GetLayerVersion(c.ctx, &lambda.GetLayerVersionInput{LayerName: missing, VersionNumber: aws.Int64(1)})
		c.refused(err, notFound, 404, "The resource you requested does not exist.")
		if out := must(c.lambda.ListLayerVersions(c.ctx, &lambda.ListLayerVersionsInput{LayerName: missing}))(c); len(out.LayerVersions) != 0 {
			c.Errorf("%d versions", len(out.LayerVersions))
		}
	})
	w.fact("layer versions begin at 1", recorded+"test_layer_exceptions", func(c *check) {
		_, err := c.lambda.GetLayerVersion(c.ctx, &lambda.GetLayerVersionInput{LayerName: missing, VersionNumber: aws.Int64(0)})
		c.refused(err, value, 400, "Layer Version Cannot be less than 1")
	})
	w.fact("a layer's ARN has a version", recorded+"test_layer_exceptions", func(c *check) {
		_, err := c.lambda.GetLayerVersionByArn(c.ctx, &lambda.GetLayerVersionByArnInput{Arn: aws.String(c.arn("layer:" + *missing))})
		if err == nil {
			c.Fatalf("it was accepted")
		}
		c.refused(err, validation, 400, "at 'arn' failed to satisfy constraint")
	})
	w.fact("another account's layer without a grant", github+"hashicorp/vault-lambda-extension/issues/156", func(c *check) {
		arn := "arn:aws:lambda:" + c.region + ":999999999999:layer:" + *missing + ":1"
		_, err := c.lambda.GetLayerVersionByArn(c.ctx, &lambda.GetLayerVersionByArnInput{Arn: &arn})
		c.refused(err, denied, 403, "is not authorized to perform: lambda:GetLayerVersion on resource: "+arn+" because no resource-based policy allows the lambda:GetLayerVersion action")
	})
	w.fact("a mapping that is not there", recorded+"test_event_source_mapping_exceptions", func(c *check) {
		_, err := c.lambda.GetEventSourceMapping(c.ctx, &lambda.GetEventSourceMappingInput{UUID: aws.String("11111111-2222-3333-4444-555555555555")})
		c.refused(err, notFound, 404, "The resource you requested does not exist.")
	})
	w.fact("a zip function's code can be read in parts", sdk+"FunctionCodeLocation", func(c *check) {
		for _, f := range must(c.lambda.ListFunctions(c.ctx, &lambda.ListFunctionsInput{}))(c).Functions {
			if f.PackageType != types.PackageTypeZip {
				continue
			}
			code := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: f.FunctionName}))(c).Code
			if code == nil || code.Location == nil {
				c.Fatalf("%s has no location", *f.FunctionName)
			}
			if res, body := c.get(*code.Location, "Range", "bytes=-22"); res.StatusCode != 206 || len(body) != 22 {
				c.Errorf("%d, %d bytes", res.StatusCode, len(body))
			}
			return
		}
		c.lacking("there is no zip function among the first 50")
	})
	w.fact("a repository that is not there", "aws-sdk-go-v2/service/ecr: RepositoryNotFoundException", func(c *check) {
		_, err := c.ecr.DescribeRepositories(c.ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{*missing}})
		c.refused(err, "RepositoryNotFoundException", 400, "The repository with name '"+*missing+"' does not exist in the registry with id '"+c.account+"'")
	})
}
