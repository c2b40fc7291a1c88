package contract

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func TestLayers(t *testing.T) {
	w := writing(t)
	const gone = "The resource you requested does not exist."
	const exceptions = recorded + "test_layer_function_exceptions"
	w.fact("a version can be read by name and by ARN", recorded+"test_layer_lifecycle", func(c *check) {
		content := zipped("bin/tool", "one")
		l := c.layer(c.name("layer"), content)
		for range 2 {
			got := must(c.lambda.GetLayerVersionByArn(c.ctx, &lambda.GetLayerVersionByArnInput{Arn: l.LayerVersionArn}))(c)
			named := must(c.lambda.GetLayerVersion(c.ctx, &lambda.GetLayerVersionInput{LayerName: l.LayerArn, VersionNumber: aws.Int64(1)}))(c)
			if got.Content == nil || named.Content == nil || got.Content.CodeSize != int64(len(content)) || aws.ToString(got.Content.CodeSha256) != aws.ToString(named.Content.CodeSha256) || aws.ToString(got.LayerVersionArn) != *l.LayerVersionArn {
				c.Fatalf("by ARN %+v, by name %+v", got, named)
			}
		}
	})
	w.fact("a location serves the layer byte for byte", sdk+"LayerVersionContentOutput.Location", func(c *check) {
		content := zipped("bin/tool", "two")
		if res, body := c.get(*c.layer(c.name("layer"), content).Content.Location); res.StatusCode != 200 || !bytes.Equal(body, content) {
			c.Errorf("%d, %d bytes", res.StatusCode, len(body))
		}
	})
	w.fact("the list has the newest first", recorded+"test_layer_lifecycle", func(c *check) {
		name := c.name("layer")
		c.layer(name, zipped("a", "1"))
		c.layer(name, zipped("a", "2"))
		list := must(c.lambda.ListLayerVersions(c.ctx, &lambda.ListLayerVersionsInput{LayerName: &name}))(c).LayerVersions
		if len(list) != 2 || list[0].Version != 2 {
			c.Errorf("%d versions, the first is %d", len(list), list[0].Version)
		}
	})
	w.fact("functions keep a deleted version", sdk+"DeleteLayerVersion", func(c *check) {
		content := zipped("bin/tool", "three")
		l := c.layer(c.name("layer"), content)
		f := c.make(func(in *lambda.CreateFunctionInput) { in.Layers = []string{*l.LayerVersionArn} })
		remove := &lambda.DeleteLayerVersionInput{LayerName: l.LayerArn, VersionNumber: &l.Version}
		must(c.lambda.DeleteLayerVersion(c.ctx, remove))(c)
		_, err := c.lambda.GetLayerVersion(c.ctx, &lambda.GetLayerVersionInput{LayerName: l.LayerArn, VersionNumber: &l.Version})
		c.refused(err, notFound, 404, gone)
		got := must(c.lambda.GetFunctionConfiguration(c.ctx, &lambda.GetFunctionConfigurationInput{FunctionName: f.FunctionName}))(c).Layers
		if len(got) != 1 || *got[0].Arn != *l.LayerVersionArn || got[0].CodeSize != int64(len(content)) {
			c.Errorf("the function lists %+v", got)
		}
	})
	w.fact("a deleted version can't be attached again", exceptions, func(c *check) {
		l := c.layer(c.name("layer"), zipped("a", "4"))
		f := c.make(func(in *lambda.CreateFunctionInput) { in.Layers = []string{*l.LayerVersionArn} })
		must(c.lambda.DeleteLayerVersion(c.ctx, &lambda.DeleteLayerVersionInput{LayerName: l.LayerArn, VersionNumber: &l.Version}))(c)
		_, err := c.lambda.UpdateFunctionConfiguration(c.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f.FunctionName, Layers: []string{*l.LayerVersionArn}})
		if err == nil {
			c.Fatalf("it was accepted")
		}
		c.refused(err, value, 400, "Layer version "+*l.LayerVersionArn+" does not exist.")
	})
	w.fact("deleting what is not there succeeds", recorded+"test_layer_exceptions", func(c *check) {
		must(c.lambda.DeleteLayerVersion(c.ctx, &lambda.DeleteLayerVersionInput{LayerName: aws.String(c.name("none")), VersionNumber: aws.Int64(1)}))(c)
	})
	w.fact("numbers are not used again", recorded+"test_layer_lifecycle", func(c *check) {
		name := c.name("layer")
		l := c.layer(name, zipped("a", "5"))
		must(c.lambda.DeleteLayerVersion(c.ctx, &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: &l.Version}))(c)
		if next := c.layer(name, zipped("a", "5")); next.Version != 2 {
			c.Errorf("published again as %d", next.Version)
		}
	})
	w.fact("at most five", recorded+"test_layer_function_quota_exception", func(c *check) {
		var six []string
		for range 6 {
			six = append(six, *c.layer(c.name("layer"), zipped("a", "6")).LayerVersionArn)
		}
		c.refuses(refusal{change: func(in *lambda.CreateFunctionInput) { in.Layers = six }, code: value, status: 400, message: "Cannot reference more than 5 layers."})
	})
	w.fact("one version of a layer at a time", exceptions, func(c *check) {
		name := c.name("layer")
		one, two := *c.layer(name, zipped("a", "7")).LayerVersionArn, *c.layer(name, zipped("a", "8")).LayerVersionArn
		c.refuses(refusal{change: func(in *lambda.CreateFunctionInput) { in.Layers = []string{one, two} }, code: value, status: 400,
			message: "Two different versions of the same layer are not allowed to be referenced in the same function. " + one + " and " + two + " are versions of the same layer."})
	})
	w.fact("of the function's region", exceptions, func(c *check) {
		elsewhere := "us-east-1"
		if c.region == elsewhere {
			elsewhere = "eu-west-1"
		}
		arn := "arn:aws:lambda:" + elsewhere + ":" + c.account + ":layer:contract:1"
		c.refuses(refusal{change: func(in *lambda.CreateFunctionInput) { in.Layers = []string{arn} }, code: value, status: 400,
			message: "Layers are not in the same region as the function. Layers are expected to be in region " + c.region + "."})
	})
	w.fact("code and layers share 250 MB", github+"brefphp/bref/issues/450", func(c *check) {
		big := *c.layer(c.name("layer"), ziptest.Zeros(200<<20)).LayerVersionArn
		c.refuses(refusal{change: func(in *lambda.CreateFunctionInput) {
			in.Code.ZipFile, in.Layers = ziptest.Zeros(50<<20), []string{big}
		}, code: value, status: 400, message: "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144000 bytes."})
	})
	w.fact("a grant is a statement, and goes", recorded+"test_layer_policy_lifecycle", func(c *check) {
		l := c.layer(c.name("layer"), zipped("a", "9"))
		out := must(c.lambda.AddLayerVersionPermission(c.ctx, &lambda.AddLayerVersionPermissionInput{
			LayerName: l.LayerArn, VersionNumber: &l.Version, StatementId: aws.String("s"), Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"),
		}))(c)
		if !strings.Contains(*out.Statement, `"Resource":"`+*l.LayerVersionArn+`"`) {
			c.Errorf("%s", *out.Statement)
		}
		must(c.lambda.RemoveLayerVersionPermission(c.ctx, &lambda.RemoveLayerVersionPermissionInput{LayerName: l.LayerArn, VersionNumber: &l.Version, StatementId: aws.String("s")}))(c)
		_, err := c.lambda.GetLayerVersionPolicy(c.ctx, &lambda.GetLayerVersionPolicyInput{LayerName: l.LayerArn, VersionNumber: &l.Version})
		c.refused(err, notFound, 404, "No policy is associated with the given resource.")
	})
	w.fact("another account's without a grant can't be attached", github+"hashicorp/vault-lambda-extension/issues/156", func(c *check) {
		arn := "arn:aws:lambda:" + c.region + ":999999999999:layer:contract:1"
		c.refuses(refusal{change: func(in *lambda.CreateFunctionInput) { in.Layers = []string{arn} }, code: denied, status: 403,
			message: "is not authorized to perform: lambda:GetLayerVersion on resource: " + arn})
	})
}

func TestDownloads(t *testing.T) {
	w := writing(t)
	const s3 = "docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"
	var content []byte
	var location string
	w.fact("a function's code has a location", sdk+"GetFunction", func(c *check) {
		in := c.input()
		must(c.create(in))(c)
		out := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName}))(c)
		if out.Code == nil || out.Code.Location == nil || !c.local(*out.Code.Location) {
			c.Fatalf("there is none, or it is elsewhere")
		}
		content, location = in.Code.ZipFile, *out.Code.Location
	})
	if location == "" {
		t.Skip("without a location there is nothing to look at; the check above says why")
	}
	size := len(content)
	for _, r := range []struct {
		name, ranged string
		status       int
		from, to     int
	}{
		{"the first bytes", "bytes=0-9", 206, 0, 10},
		{"from a byte on", "bytes=10-", 206, 10, size},
		{"the last bytes", "bytes=-22", 206, size - 22, size},
		{"more than all the last bytes", "bytes=-100000", 206, 0, size},
		{"past the end", "bytes=5-100000", 206, 5, size},
		{"from past the end", "bytes=100000-", 416, 0, 0},
	} {
		w.fact(r.name, s3, func(c *check) {
			res, body := c.get(location, "Range", r.ranged)
			if res.StatusCode != r.status || r.status == 206 && !bytes.Equal(body, content[r.from:r.to]) {
				c.Errorf("%s: %d with %d bytes", r.ranged, res.StatusCode, len(body))
			}
		})
	}
	w.fact("another object than the one that was meant is noticed", s3, func(c *check) {
		res, _ := c.get(location)
		if res.Header.Get("ETag") == "" {
			c.Errorf("no ETag")
		}
		if res, _ := c.get(location, "If-Match", `"00000000000000000000000000000000"`, "Range", "bytes=0-0"); res.StatusCode != 412 {
			c.Errorf("If-Match with another ETag: %d", res.StatusCode)
		}
	})
	bare, query, _ := strings.Cut(location, "?")
	w.fact("nothing without the signature", "docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html", func(c *check) {
		for what, bad := range map[string]string{"no query": bare, "no signature": bare + "?" + strings.Replace(query, "X-Amz-Signature=", "X-Amz-Other=", 1)} {
			if res, _ := c.get(bad); res.StatusCode != 403 {
				c.Errorf("%s: %d", what, res.StatusCode)
			}
		}
	})
	w.fact("valid for ten minutes, which can't be stretched", sdk+"GetFunction", func(c *check) {
		if !strings.Contains(query, "X-Amz-Expires=600&") {
			c.Errorf("not of ten minutes")
		}
		stretched := strings.Replace(location, "X-Amz-Expires=600", "X-Amz-Expires=604800", 1)
		if res, _ := c.get(stretched); res.StatusCode != 403 {
			c.Errorf("stretched: %d", res.StatusCode)
		}
		old := strings.Replace(location, "X-Amz-Date=20", "X-Amz-Date=19", 1)
		if res, _ := c.get(old); res.StatusCode != 403 {
			c.Errorf("expired: %d", res.StatusCode)
		}
	})
}
