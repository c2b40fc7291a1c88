package contract

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func (c *check) publish(name *string) *lambda.PublishVersionOutput {
	return must(c.lambda.PublishVersion(c.ctx, &lambda.PublishVersionInput{FunctionName: name}))(c)
}

func TestVersions(t *testing.T) {
	w := writing(t)
	w.fact("nothing new publishes nothing", sdk+"PublishVersion", func(c *check) {
		f := c.make().FunctionName
		one, again := c.publish(f), c.publish(f)
		if *one.Version != *again.Version || *one.FunctionArn != c.arn("function:"+*f+":"+*one.Version) {
			c.Errorf("published %s, then %s", *one.FunctionArn, *again.FunctionArn)
		}
	})
	w.fact("a version stays what it was", sdk+"PublishVersion", func(c *check) {
		f := c.make().FunctionName
		one := c.publish(f)
		must(c.lambda.UpdateFunctionConfiguration(c.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f, Description: aws.String("new")}))(c)
		c.settled(*f)
		two := c.publish(f)
		if *two.Version == *one.Version {
			c.Errorf("both are version %s", *one.Version)
		}
		old := must(c.lambda.GetFunctionConfiguration(c.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f, Qualifier: one.Version}))(c)
		if *old.Description != "" {
			c.Errorf("version %s is now described as %q", *one.Version, *old.Description)
		}
	})
	w.fact("another hash than the code's is refused", recorded+"test_publish_with_wrong_sha256", func(c *check) {
		f := c.make()
		_, err := c.lambda.PublishVersion(c.ctx, &lambda.PublishVersionInput{FunctionName: f.FunctionName, CodeSha256: aws.String("other")})
		c.refused(err, value, 400, "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("+*f.CodeSha256+"). Please try again with the CodeSHA256 in $LATEST.")
	})
	w.fact("the list begins with $LATEST, by qualified ARN", recorded+"test_version_lifecycle", func(c *check) {
		f := c.make().FunctionName
		c.publish(f)
		list := must(c.lambda.ListVersionsByFunction(c.ctx, &lambda.ListVersionsByFunctionInput{FunctionName: f}))(c).Versions
		if len(list) != 2 || *list[0].FunctionArn != c.arn("function:"+*f+":$LATEST") {
			c.Errorf("%d versions, the first %s", len(list), *list[0].FunctionArn)
		}
	})
	w.fact("publishing at creation answers the version under the function's ARN", recorded+"test_publish_version_on_create", func(c *check) {
		in := c.input()
		in.Publish = true
		out := must(c.create(in))(c)
		if *out.Version == "$LATEST" || *out.FunctionArn != c.arn("function:"+*in.FunctionName) {
			c.Errorf("%s at %s", *out.Version, *out.FunctionArn)
		}
	})
	w.fact("a version that an alias leads to stays", github+"karl-cardenas-coding/go-lambda-cleanup/issues/45", func(c *check) {
		f := c.published("live")
		_, err := c.lambda.DeleteFunction(c.ctx, &lambda.DeleteFunctionInput{FunctionName: &f, Qualifier: aws.String("1")})
		c.refused(err, conflict, 409, "Unable to delete version because the following aliases reference it: [live]")
	})
}

func TestAliases(t *testing.T) {
	w := writing(t)
	var f string
	input := func(alias, version string, weights map[string]float64) *lambda.CreateAliasInput {
		in := &lambda.CreateAliasInput{FunctionName: &f, Name: &alias, FunctionVersion: &version}
		if weights != nil {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
		}
		return in
	}
	w.fact("weights are kept", sdk+"AliasRoutingConfiguration", func(c *check) {
		f = *c.make(func(in *lambda.CreateFunctionInput) { in.Publish = true }).FunctionName
		must(c.lambda.UpdateFunctionCode(c.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &f, ZipFile: zipped("index.js", "// 2"), Publish: true}))(c)
		c.settled(f)
		must(c.lambda.CreateAlias(c.ctx, input("live", "1", map[string]float64{"2": 0.25})))(c)
		got := must(c.lambda.GetAlias(c.ctx, &lambda.GetAliasInput{FunctionName: &f, Name: aws.String("live")}))(c)
		if *got.AliasArn != c.arn("function:"+f+":live") || *got.FunctionVersion != "1" || got.RoutingConfig == nil || got.RoutingConfig.AdditionalVersionWeights["2"] != 0.25 {
			c.Errorf("%s leads to %s, %+v", *got.AliasArn, *got.FunctionVersion, got.RoutingConfig)
		}
	})
	if f == "" {
		t.Skip("without versions there is nothing to look at; the check above says why")
	}
	const routing = recorded + "test_notfound_and_invalid_routingconfigs"
	for _, r := range []struct {
		name    string
		in      *lambda.CreateAliasInput
		code    string
		status  int
		message string
		source  string
	}{
		{"the same name again", input("live", "1", nil), conflict, 409, "Alias already exists: " + w.arn("function:"+f+":live"), routing},
		{"a number as name", input("2024", "1", nil), validation, 400, "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)", recorded + "test_alias_naming"},
		{"a version that is not there", input("x1", "10", nil), notFound, 404, "Function not found: " + w.arn("function:"+f+":10"), routing},
		{"a weight above 1", input("x2", "1", map[string]float64{"2": 2}), validation, 400, "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'", routing},
		{"a weight for the version itself", input("x3", "1", map[string]float64{"1": 0.5}), value, 400, "Invalid function version 1. Function version 1 is already included in routing configuration.", routing},
		{"two weights", input("x4", "1", map[string]float64{"2": 0.5, "3": 0.5}), value, 400, "Number of items in AdditionalVersionWeights cannot be greater than 1", routing},
		{"a weight for $LATEST", input("x5", "1", map[string]float64{"$LATEST": 0.5}), validation, 400, "at 'routingConfig.additionalVersionWeights'", routing},
		{"$LATEST with weights", input("x6", "$LATEST", map[string]float64{"1": 0.5}), value, 400, "$LATEST is not supported for an alias pointing to more than 1 version", routing},
	} {
		w.fact(r.name, r.source, func(c *check) {
			_, err := c.lambda.CreateAlias(c.ctx, r.in)
			if err == nil {
				c.Fatalf("it was accepted")
			}
			c.refused(err, r.code, r.status, r.message)
		})
	}
	w.fact("an empty routing removes the weights, and the revision moves", sdk+"UpdateAlias", func(c *check) {
		before := must(c.lambda.GetAlias(c.ctx, &lambda.GetAliasInput{FunctionName: &f, Name: aws.String("live")}))(c)
		next := must(c.lambda.UpdateAlias(c.ctx, &lambda.UpdateAliasInput{FunctionName: &f, Name: aws.String("live"), FunctionVersion: aws.String("2"), RoutingConfig: &types.AliasRoutingConfiguration{}}))(c)
		if *next.FunctionVersion != "2" || next.RoutingConfig != nil || *next.RevisionId == *before.RevisionId {
			c.Errorf("leads to %s, %+v", *next.FunctionVersion, next.RoutingConfig)
		}
		_, err := c.lambda.UpdateAlias(c.ctx, &lambda.UpdateAliasInput{FunctionName: &f, Name: aws.String("live"), RevisionId: before.RevisionId})
		c.refused(err, "PreconditionFailedException", 412, "Call the GetFunction/GetAlias API")
	})
	w.fact("an alias that is not there", recorded+"test_notfound_and_invalid_routingconfigs", func(c *check) {
		_, err := c.lambda.GetAlias(c.ctx, &lambda.GetAliasInput{FunctionName: &f, Name: aws.String("none")})
		c.refused(err, notFound, 404, "Cannot find alias arn: "+c.arn("function:"+f+":none"))
	})
	w.fact("deleting an alias that is not there succeeds", recorded+"test_non_existent_alias_deletion", func(c *check) {
		must(c.lambda.DeleteAlias(c.ctx, &lambda.DeleteAliasInput{FunctionName: &f, Name: aws.String("none")}))(c)
	})
}
