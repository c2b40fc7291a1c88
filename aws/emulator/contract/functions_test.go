package contract

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// Where the facts are written down.
const (
	recorded = "recorded on AWS, in LocalStack's tests/aws/services/lambda_: "
	sdk      = "aws-sdk-go-v2/service/lambda: "
	guide    = "docs.aws.amazon.com/lambda/latest/dg/"
	quotas   = guide + "gettingstarted-limits.html"
	github   = "github.com/"
)

// The codes that come up most.
const (
	value      = "InvalidParameterValueException"
	validation = "ValidationException"
	notFound   = "ResourceNotFoundException"
	conflict   = "ResourceConflictException"
	denied     = "AccessDeniedException"
)

func TestCreate(t *testing.T) {
	w := writing(t)
	w.fact("answers Pending", recorded+"test_function_lifecycle", func(c *check) {
		out := must(c.create(c.input()))(c)
		if out.State != types.StatePending || out.StateReasonCode != types.StateReasonCodeCreating || aws.ToString(out.StateReason) != "The function is being created." {
			c.Errorf("created in state %q, %q: %q", out.State, out.StateReasonCode, aws.ToString(out.StateReason))
		}
	})
	w.fact("comes to Active, and the revision moves", recorded+"test_function_revisions_basic", func(c *check) {
		in := c.input()
		made := must(c.create(in))(c)
		now := c.settled(*in.FunctionName)
		if now.State != types.StateActive || now.LastUpdateStatus != types.LastUpdateStatusSuccessful || now.StateReason != nil {
			c.Errorf("settled in %s, %s", now.State, now.LastUpdateStatus)
		}
		if aws.ToString(now.RevisionId) == aws.ToString(made.RevisionId) {
			c.Errorf("the revision is what it was")
		}
	})
	w.fact("hash and size are the archive's", sdk+"FunctionConfiguration.CodeSha256", func(c *check) {
		in := c.input()
		out := must(c.create(in))(c)
		sum := sha256.Sum256(in.Code.ZipFile)
		if aws.ToString(out.CodeSha256) != base64.StdEncoding.EncodeToString(sum[:]) || out.CodeSize != int64(len(in.Code.ZipFile)) {
			c.Errorf("%s, %d bytes", aws.ToString(out.CodeSha256), out.CodeSize)
		}
	})
	w.fact("defaults", sdk+"CreateFunctionInput", func(c *check) {
		in := c.input()
		out := must(c.create(in))(c)
		if out.EphemeralStorage == nil || out.LoggingConfig == nil || out.Description == nil {
			c.Fatalf("no storage, log group or description is shown")
		}
		got := fmt.Sprintf("%d s, %d MB, %d MB, %v, %s, %q, %s", *out.Timeout, *out.MemorySize, *out.EphemeralStorage.Size, out.Architectures, out.PackageType, *out.Description, *out.LoggingConfig.LogGroup)
		if want := `3 s, 128 MB, 512 MB, [x86_64], Zip, "", /aws/lambda/` + *in.FunctionName; got != want {
			c.Errorf("got %s\nwant %s", got, want)
		}
	})
	w.fact("the time of the last change has its zone", sdk+"FunctionConfiguration.LastModified", func(c *check) {
		out := must(c.create(c.input()))(c)
		must(time.Parse("2006-01-02T15:04:05.000-0700", aws.ToString(out.LastModified)))(c)
	})
	w.fact("the same name again is a conflict", github+"hashicorp/terraform-provider-aws/issues/29263", func(c *check) {
		in := c.input()
		must(c.create(in))(c)
		_, err := c.lambda.CreateFunction(c.ctx, in)
		c.refused(err, conflict, 409, "Function already exist: "+*in.FunctionName)
	})
	w.fact("can be created again right after it was deleted", recorded+"test_recreate_function", func(c *check) {
		in := c.input()
		must(c.create(in))(c)
		c.settled(*in.FunctionName)
		out := must(c.lambda.DeleteFunction(c.ctx, &lambda.DeleteFunctionInput{FunctionName: in.FunctionName}))(c)
		if out.StatusCode != 204 {
			c.Errorf("the deletion answers %d", out.StatusCode)
		}
		_, err := c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName})
		c.refused(err, notFound, 404, "Function not found: "+c.arn("function:"+*in.FunctionName))
		must(c.create(in))(c)
	})
}

// refusal is a change to a good CreateFunction and how AWS answers it.
type refusal struct {
	name    string
	change  func(*lambda.CreateFunctionInput)
	code    string
	status  int
	message string
	source  string
}

func TestValidation(t *testing.T) {
	w := writing(t)
	long := strings.Repeat("a", 65)
	for _, r := range []refusal{
		{"name too long", func(in *lambda.CreateFunctionInput) { in.FunctionName = &long }, value, 400,
			"Value '" + long + "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64", recorded + "test_function_arns"},
		{"name with other characters", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("contract-function!") }, validation, 400,
			"at 'functionName' failed to satisfy constraint", recorded + "test_function_name_and_qualifier_validation"},
		{"role that is no ARN", func(in *lambda.CreateFunctionInput) { in.Role = aws.String("r1") }, validation, 400,
			"Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws", recorded + "test_create_lambda_exceptions"},
		{"neither runtime nor handler", func(in *lambda.CreateFunctionInput) { in.Runtime, in.Handler = "", nil }, value, 400,
			"Runtime and Handler are mandatory parameters", github + "pipe-cd/pipecd/pull/1401"},
		{"unknown runtime", func(in *lambda.CreateFunctionInput) { in.Runtime = "cobol85" }, value, 400,
			"Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [", recorded + "test_create_lambda_exceptions"},
		{"deprecated runtime", func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeNodejs14x }, value, 400,
			"The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions.", recorded + "test_create_deprecated_function_runtime_with_validation_enabled"},
		{"a bucket that is not there", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("contract-no-bucket-0b9f4c"), S3Key: aws.String("code.zip")}
		}, value, 400, "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist", recorded + "test_lambda_code_location_s3_errors"},
		{"no zip", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") }, value, 400,
			"Could not unzip uploaded file. Please check your file, then try to upload again.", recorded + "test_create_lambda_exceptions"},
		{"a zip of nothing", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped() }, value, 400,
			"Uploaded file must be a non-empty zip", github + "dumrauf/serverless_static_website_with_basic_auth/issues/17"},
		{"unzipped size", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = ziptest.Zeros(262144000) }, value, 400,
			"Unzipped size must be smaller than 262144000 bytes", recorded + "test_oversized_unzipped_lambda"},
		{"zipped size", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = make([]byte, 52428801) }, "RequestEntityTooLargeException", 413,
			"Zipped size must be smaller than 52428800 bytes", recorded + "test_oversized_zipped_create_lambda"},
		{"request size", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = make([]byte, 53<<20) }, "RequestEntityTooLargeException", 413,
			"Request must be smaller than 70167211 bytes for the CreateFunction operation", recorded + "test_oversized_request_create_lambda"},
		{"memory", func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }, validation, 400,
			"Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128", sdk + "CreateFunctionInput.MemorySize"},
		{"timeout", func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(5401) }, validation, 400,
			"at 'timeout' failed to satisfy constraint: Member must have value less than or equal to", quotas},
		{"storage", func(in *lambda.CreateFunctionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(511)}
		}, validation, 400, "greater than or equal to 512", sdk + "CreateFunctionInput.EphemeralStorage"},
		{"two architectures", func(in *lambda.CreateFunctionInput) {
			in.Architectures = []types.Architecture{"x86_64", "arm64"}
		}, validation, 400, "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1", recorded + "test_create_lambda_exceptions"},
		{"reserved variable", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}, value, 400, "reserved keys", guide + "configuration-envvars.html"},
		{"environment of more than 4 KB", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"LARGE": strings.Repeat("x", 4096)}}
		}, value, 400, "exceeded the 4KB limit. String measured: {\"LARGE\":\"xxx", recorded + "test_large_environment_variables_fails"},
		{"subnet", func(in *lambda.CreateFunctionInput) {
			in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"net"}, SecurityGroupIds: []string{"sg-1"}}
		}, validation, 400, "at 'vpcConfig.subnetIds'", recorded + "test_invalid_vpc_config_subnet"},
		{"bucket that is not there", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("contract-no-such-bucket-6d1f0c"), S3Key: aws.String("k")}
		}, value, 400, "S3 Error Code: NoSuchBucket", recorded + "test_lambda_code_location_s3_errors"},
	} {
		w.fact(r.name, r.source, func(c *check) { c.refuses(r) })
	}
}

// refuses makes sure that a change to a good input is refused.
func (c *check) refuses(r refusal) {
	in := c.input()
	r.change(in)
	_, err := c.create(in)
	if err == nil {
		c.Fatalf("it was accepted")
	}
	c.refused(err, r.code, r.status, r.message)
}

func TestPackageType(t *testing.T) {
	w := writing(t)
	image := func(in *lambda.CreateFunctionInput) {
		in.PackageType, in.Runtime, in.Handler = types.PackageTypeImage, "", nil
		in.Code = &types.FunctionCode{ImageUri: aws.String(w.account + ".dkr.ecr." + w.region + ".amazonaws.com/contract-none:1")}
	}
	const mixed = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
	for _, r := range []refusal{
		{"an image with a handler", func(in *lambda.CreateFunctionInput) { image(in); in.Handler = aws.String("h") }, value, 400, mixed, github + "aws/aws-cdk/issues/13037"},
		{"an image with a runtime", func(in *lambda.CreateFunctionInput) { image(in); in.Runtime = types.RuntimeNodejs22x }, value, 400, mixed, github + "serverless/serverless/issues/12778"},
		{"an image with layers", func(in *lambda.CreateFunctionInput) { image(in); in.Layers = []string{w.arn("layer:contract-none:1")} }, value, 400, mixed, github + "aws/aws-cdk/issues/13037"},
		{"a public image", func(in *lambda.CreateFunctionInput) {
			image(in)
			in.Code.ImageUri = aws.String("public.ecr.aws/lambda/nodejs:22")
		}, value, 400, "Source image public.ecr.aws/lambda/nodejs:22 is not valid. Provide a valid source image.", github + "grafana/loki/issues/7218"},
		{"an image that is not there", image, value, 400, "does not exist. Provide a valid source image.", github + "aws/aws-cdk/issues/24648"},
	} {
		w.fact(r.name, r.source, func(c *check) { c.refuses(r) })
	}
	w.fact("a zip function takes no image", recorded+"test_lambda_zip_file_to_image", func(c *check) {
		f := c.make()
		_, err := c.lambda.UpdateFunctionCode(c.ctx, &lambda.UpdateFunctionCodeInput{FunctionName: f.FunctionName, ImageUri: aws.String("localhost:1/x:y")})
		c.refused(err, value, 400, "Please don't provide ImageUri when updating a function with packageType Zip.")
	})
}

func TestStates(t *testing.T) {
	w := writing(t)
	w.fact("a function that is Pending can't be changed, published or invoked", sdk+"CreateFunction", func(c *check) {
		// The state may pass before the calls arrive: then once more.
		for try := range 5 {
			in := c.input()
			must(c.create(in))(c)
			_, update := c.lambda.UpdateFunctionConfiguration(c.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: in.FunctionName, Timeout: aws.Int32(9)})
			_, publish := c.lambda.PublishVersion(c.ctx, &lambda.PublishVersionInput{FunctionName: in.FunctionName})
			_, call := c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: in.FunctionName, InvocationType: types.InvocationTypeDryRun})
			if update == nil || publish == nil || call == nil {
				if try == 4 {
					c.Errorf("five functions were changed or run at once: %v, %v, %v", update, publish, call)
				}
				continue
			}
			for _, err := range []error{update, publish, call} {
				c.refused(err, conflict, 409, "The function is currently in the following state: Pending")
			}
			return
		}
	})
	w.fact("an update is InProgress, then Successful", recorded+"test_lambda_concurrent_code_updates", func(c *check) {
		f := c.make()
		out := must(c.lambda.UpdateFunctionConfiguration(c.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: f.FunctionName, Timeout: aws.Int32(9)}))(c)
		if out.LastUpdateStatus != types.LastUpdateStatusInProgress || out.State != types.StateActive || *out.Timeout != 9 {
			c.Errorf("updated to %q, %q, %d s", out.LastUpdateStatus, out.State, *out.Timeout)
		}
		if now := c.settled(*f.FunctionName); now.LastUpdateStatus != types.LastUpdateStatusSuccessful {
			c.Errorf("settled in %s", now.LastUpdateStatus)
		}
	})
	w.fact("an update of code with the old revision is refused", recorded+"test_function_revisions_basic", func(c *check) {
		in := c.input()
		made := must(c.create(in))(c)
		now := c.settled(*in.FunctionName)
		update := &lambda.UpdateFunctionCodeInput{FunctionName: in.FunctionName, ZipFile: zipped("index.js", "// new"), RevisionId: made.RevisionId}
		_, err := c.lambda.UpdateFunctionCode(c.ctx, update)
		c.refused(err, "PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
		update.RevisionId = now.RevisionId
		out := must(c.lambda.UpdateFunctionCode(c.ctx, update))(c)
		if aws.ToString(out.CodeSha256) == *made.CodeSha256 {
			c.Errorf("new code, old hash")
		}
	})
	w.fact("a location serves the code byte for byte", sdk+"FunctionCodeLocation", func(c *check) {
		in := c.input()
		must(c.create(in))(c)
		out := must(c.lambda.GetFunction(c.ctx, &lambda.GetFunctionInput{FunctionName: in.FunctionName}))(c)
		if aws.ToString(out.Code.RepositoryType) != "S3" || out.Code.Location == nil {
			c.Fatalf("the code is at %q", aws.ToString(out.Code.RepositoryType))
		}
		if res, body := c.get(*out.Code.Location); res.StatusCode != 200 || string(body) != string(in.Code.ZipFile) {
			c.Errorf("%d, %d bytes", res.StatusCode, len(body))
		}
	})
}

func TestPaging(t *testing.T) {
	w := writing(t)
	w.fact("at most 50 functions a page, each once, states left out", sdk+"ListFunctions", func(c *check) {
		want := map[string]bool{}
		for range 60 {
			in := c.input()
			must(c.create(in))(c)
			want[*in.FunctionName] = true
		}
		page := must(c.lambda.ListFunctions(c.ctx, &lambda.ListFunctionsInput{MaxItems: aws.Int32(500)}))(c)
		if len(page.Functions) > 50 || page.NextMarker == nil {
			c.Errorf("a page of %d, more to come: %v", len(page.Functions), page.NextMarker != nil)
		}
		seen := map[string]int{}
		for pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{}); pages.HasMorePages(); {
			for _, f := range must(pages.NextPage(c.ctx))(c).Functions {
				seen[*f.FunctionName]++
				if f.State != "" || f.LastUpdateStatus != "" {
					c.Fatalf("the list shows the state of a function")
				}
			}
		}
		for name := range want {
			if seen[name] != 1 {
				c.Errorf("%s is listed %d times", name, seen[name])
			}
		}
	})
}
