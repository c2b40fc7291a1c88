package emulator_test

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

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func TestFunctionLifecycle(t *testing.T) {
	a := open(t, emulator.Options{})
	in := a.input("life")
	made := must(a.lambda.CreateFunction(t.Context(), in))(t)
	sum := sha256.Sum256(in.Code.ZipFile)
	if made.State != types.StatePending || made.StateReasonCode != types.StateReasonCodeCreating || *made.StateReason != "The function is being created." {
		t.Errorf("created in state %s (%s)", made.State, made.StateReasonCode)
	}
	if *made.CodeSha256 != base64.StdEncoding.EncodeToString(sum[:]) || made.CodeSize != int64(len(in.Code.ZipFile)) {
		t.Errorf("code is %s, %d bytes", *made.CodeSha256, made.CodeSize)
	}
	if *made.Timeout != 3 || *made.MemorySize != 128 || *made.EphemeralStorage.Size != 512 || made.Architectures[0] != "x86_64" || *made.LoggingConfig.LogGroup != "/aws/lambda/life" {
		t.Errorf("defaults: %+v", made)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000-0700", *made.LastModified); err != nil {
		t.Error(err)
	}
	name := aws.String("life")
	const pending = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
	_, err := a.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: name})
	refused(t, err, "ResourceConflictException", 409, pending)
	_, err = a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: aws.Int32(9)})
	refused(t, err, "ResourceConflictException", 409, pending)
	_, err = a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeDryRun})
	refused(t, err, "ResourceConflictException", 409, pending)

	a.pass()
	active := a.get("life").Configuration
	if active.State != types.StateActive || active.LastUpdateStatus != types.LastUpdateStatusSuccessful || active.StateReason != nil {
		t.Errorf("settled in %s, %s", active.State, active.LastUpdateStatus)
	}
	if *active.RevisionId == *made.RevisionId {
		t.Error("the revision did not move when the function became Active")
	}

	_, err = a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, RevisionId: made.RevisionId, Timeout: aws.Int32(9)})
	refused(t, err, "PreconditionFailedException", 412, "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
	updated := must(a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: name, RevisionId: active.RevisionId, Timeout: aws.Int32(9)}))(t)
	if updated.LastUpdateStatus != types.LastUpdateStatusInProgress || updated.LastUpdateStatusReasonCode != "Creating" || updated.State != types.StateActive || *updated.Timeout != 9 {
		t.Errorf("updated to %s (%s), %s", updated.LastUpdateStatus, updated.LastUpdateStatusReasonCode, updated.State)
	}
	_, err = a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: name, ZipFile: zipped(t, "a", "b")})
	refused(t, err, "ResourceConflictException", 409, "An update is in progress for resource: "+prefix+"function:life")
	a.pass()

	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: name}))(t)
	_, err = a.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: name})
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+prefix+"function:life")
	_, err = a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: name})
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: ")
}

// Each case is a change to a good request and the refusal AWS gives.
func TestCreateFunctionRefusals(t *testing.T) {
	a := open(t, emulator.Options{})
	own := a.layer("own", zipped(t, "a", "1"))
	second := a.layer("own", zipped(t, "a", "2"))
	var six []string
	for i := range 6 {
		six = append(six, a.layer(fmt.Sprintf("l%d", i), zipped(t, "a", fmt.Sprint(i))))
	}
	big := a.layer("big", ziptest.Zeros(200<<20))
	a.create("taken")
	image := func(in *lambda.CreateFunctionInput) {
		in.PackageType, in.Runtime, in.Handler = types.PackageTypeImage, "", nil
		in.Code = &types.FunctionCode{ImageUri: aws.String("localhost:1/x:y")}
	}
	const value, invalid, denied = "InvalidParameterValueException", "ValidationException", "AccessDeniedException"
	for _, c := range []struct {
		name    string
		change  func(*lambda.CreateFunctionInput)
		code    string
		status  int
		message string
	}{
		{"name taken", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("taken") }, "ResourceConflictException", 409, "Function already exist: taken"},
		{"long name", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String(strings.Repeat("a", 65)) }, value, 400, "1 validation error detected: Value '" + strings.Repeat("a", 65) + "' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64"},
		{"bad name", func(in *lambda.CreateFunctionInput) { in.FunctionName = aws.String("my-function!") }, invalid, 400, "at 'functionName' failed to satisfy constraint"},
		{"other region", func(in *lambda.CreateFunctionInput) {
			in.FunctionName = aws.String("arn:aws:lambda:us-east-1:123456789012:function:f")
		}, "ResourceNotFoundException", 404, "Functions from 'us-east-1' are not reachable in this region ('eu-central-1')"},
		{"other account", func(in *lambda.CreateFunctionInput) {
			in.FunctionName = aws.String("arn:aws:lambda:eu-central-1:999999999999:function:f")
		}, denied, 403, ""},
		{"role", func(in *lambda.CreateFunctionInput) { in.Role = aws.String("r1") }, invalid, 400, "1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws"},
		{"no runtime", func(in *lambda.CreateFunctionInput) { in.Runtime = "" }, value, 400, "Runtime and Handler are mandatory parameters"},
		{"no handler", func(in *lambda.CreateFunctionInput) { in.Handler = nil }, value, 400, "Runtime and Handler are mandatory parameters"},
		{"unknown runtime", func(in *lambda.CreateFunctionInput) { in.Runtime = "PYTHON3.9" }, value, 400, "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["},
		{"deprecated runtime", func(in *lambda.CreateFunctionInput) { in.Runtime = types.RuntimeNodejs14x }, value, 400, "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions."},
		{"not a zip", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = []byte("no zip") }, value, 400, "Could not unzip uploaded file. Please check your file, then try to upload again."},
		{"empty zip", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = zipped(t) }, value, 400, "Uploaded file must be a non-empty zip"},
		{"unzipped", func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = ziptest.Zeros(262144000) }, value, 400, "Unzipped size must be smaller than 262144000 bytes"},
		{"unzipped with layer", func(in *lambda.CreateFunctionInput) {
			in.Code.ZipFile, in.Layers = ziptest.Zeros(50<<20), []string{big}
		}, value, 400, "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144000 bytes."},
		{"bucket", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{S3Bucket: aws.String("b"), S3Key: aws.String("k")}
		}, value, 400, "S3 Error Code: NoSuchBucket"},
		{"image uri on zip", func(in *lambda.CreateFunctionInput) {
			in.Code = &types.FunctionCode{ImageUri: aws.String("localhost:1/x:y")}
		}, value, 400, "ImageUri"},
		{"image with handler", func(in *lambda.CreateFunctionInput) { image(in); in.Handler = aws.String("h") }, value, 400, "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		{"image with runtime", func(in *lambda.CreateFunctionInput) { image(in); in.Runtime = types.RuntimeNodejs22x }, value, 400, "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		{"image with layer", func(in *lambda.CreateFunctionInput) { image(in); in.Layers = []string{own} }, value, 400, "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."},
		{"image with code signing", func(in *lambda.CreateFunctionInput) {
			image(in)
			in.CodeSigningConfigArn = aws.String(prefix + "code-signing-config:csc-01234567890123456")
		}, value, 400, "Code signing"},
		{"memory low", func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }, invalid, 400, "Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"},
		{"memory high", func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(10241) }, invalid, 400, "less than or equal to 10240"},
		{"timeout", func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }, invalid, 400, "less than or equal to 900"},
		{"storage", func(in *lambda.CreateFunctionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(511)}
		}, invalid, 400, "greater than or equal to 512"},
		{"two architectures", func(in *lambda.CreateFunctionInput) {
			in.Architectures = []types.Architecture{"x86_64", "arm64"}
		}, invalid, 400, "Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1"},
		{"reserved variable", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}
		}, value, 400, "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"},
		{"environment", func(in *lambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{"LARGE": strings.Repeat("x", 4096)}}
		}, value, 400, "exceeded the 4KB limit. String measured: {\"LARGE\":\"xxx"},
		{"six layers", func(in *lambda.CreateFunctionInput) { in.Layers = six }, value, 400, "Cannot reference more than 5 layers."},
		{"layer twice", func(in *lambda.CreateFunctionInput) { in.Layers = []string{own, second} }, value, 400, "Two different versions of the same layer are not allowed to be referenced in the same function. " + own + " and " + second + " are versions of the same layer."},
		{"no such layer", func(in *lambda.CreateFunctionInput) { in.Layers = []string{prefix + "layer:own:9"} }, value, 400, "Layer version " + prefix + "layer:own:9 does not exist."},
		{"layer without version", func(in *lambda.CreateFunctionInput) { in.Layers = []string{prefix + "layer:own"} }, invalid, 400, "at 'layers' failed to satisfy constraint"},
		{"layer elsewhere", func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:us-east-1:123456789012:layer:own:1"}
		}, value, 400, "Layers are not in the same region as the function. Layers are expected to be in region eu-central-1."},
		{"foreign layer", func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{"arn:aws:lambda:eu-central-1:999999999999:layer:x:1"}
		}, denied, 403, "is not authorized to perform: lambda:GetLayerVersion on resource: arn:aws:lambda:eu-central-1:999999999999:layer:x:1 because no resource-based policy allows the lambda:GetLayerVersion action"},
		{"subnet", func(in *lambda.CreateFunctionInput) {
			in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"net"}, SecurityGroupIds: []string{"sg-1"}}
		}, invalid, 400, "at 'vpcConfig.subnetIds'"},
		{"tag", func(in *lambda.CreateFunctionInput) {
			in.Tags = map[string]string{"aws:cloudformation:stack-name": "s"}
		}, value, 400, "reserved"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := a.input("fresh")
			c.change(in)
			_, err := a.lambda.CreateFunction(t.Context(), in)
			refused(t, err, c.code, c.status, c.message)
		})
	}
	if n := len(must(a.lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t).Functions); n != 1 {
		t.Errorf("%d functions after refusals, want the one that was there", n)
	}
}

func TestRequestLimits(t *testing.T) {
	a := open(t, emulator.Options{})
	in := a.input("f")
	in.Code.ZipFile = make([]byte, 52428801)
	_, err := a.lambda.CreateFunction(t.Context(), in)
	refused(t, err, "RequestEntityTooLargeException", 413, "Zipped size must be smaller than 52428800 bytes")
	in.Code.ZipFile = make([]byte, 53<<20)
	_, err = a.lambda.CreateFunction(t.Context(), in)
	refused(t, err, "RequestEntityTooLargeException", 413, "Request must be smaller than 70167211 bytes for the CreateFunction operation")
}

func TestPackageTypeStays(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("zip")
	_, err := a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("zip"), ImageUri: aws.String("localhost:1/x:y")})
	refused(t, err, "InvalidParameterValueException", 400, "Please don't provide ImageUri when updating a function with packageType Zip.")
}

func TestPaging(t *testing.T) {
	a := open(t, emulator.Options{})
	for i := range 120 {
		a.create(fmt.Sprintf("f%03d", i))
	}
	seen := map[string]bool{}
	var sizes []int
	pages := lambda.NewListFunctionsPaginator(a.lambda, &lambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page := must(pages.NextPage(t.Context()))(t)
		sizes = append(sizes, len(page.Functions))
		for _, f := range page.Functions {
			seen[*f.FunctionName] = true
			if f.State != "" || f.LastUpdateStatus != "" || f.RuntimeVersionConfig != nil {
				t.Fatalf("ListFunctions shows the state of %s", *f.FunctionName)
			}
		}
	}
	if fmt.Sprint(sizes) != "[50 50 20]" || len(seen) != 120 {
		t.Errorf("pages of %v, %d functions", sizes, len(seen))
	}
	// More than a page holds can't be asked for.
	if page := must(a.lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{MaxItems: aws.Int32(500)}))(t); len(page.Functions) != 50 || page.NextMarker == nil {
		t.Errorf("a page of %d", len(page.Functions))
	}
	_, err := a.lambda.ListFunctions(t.Context(), &lambda.ListFunctionsInput{FunctionVersion: "invalid"})
	refused(t, err, "ValidationException", 400, "Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]")
}

func TestRegionsAndAccountsAreApart(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("here")
	for _, c := range []*lambda.Client{client(a.server, "us-east-1", "AKIATEST"), client(a.server, "eu-central-1", "999999999999")} {
		if out := must(c.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}))(t); len(out.Functions) != 0 {
			t.Errorf("%d functions elsewhere", len(out.Functions))
		}
	}
}

func TestQualifiers(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("q")
	get := func(name, qualifier string) (*lambda.GetFunctionConfigurationOutput, error) {
		in := &lambda.GetFunctionConfigurationInput{FunctionName: &name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		return a.lambda.GetFunctionConfiguration(t.Context(), in)
	}
	for _, name := range []string{"q", prefix + "function:q", "123456789012:function:q", "function:q", "123456789012:q"} {
		if out := must(get(name, ""))(t); *out.FunctionArn != prefix+"function:q" {
			t.Errorf("%s is %s", name, *out.FunctionArn)
		}
	}
	if out := must(get("q", "$LATEST"))(t); *out.FunctionArn != prefix+"function:q:$LATEST" {
		t.Errorf("$LATEST is %s", *out.FunctionArn)
	}
	_, err := get("q:1", "2")
	refused(t, err, "InvalidParameterValueException", 400, "The derived qualifier from the function name does not match the specified qualifier.")
	_, err = get("q", "7")
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+prefix+"function:q:7")
	_, err = get("q", "no?")
	refused(t, err, "ValidationException", 400, "at 'qualifier' failed to satisfy constraint")
	_, err = get("a b", "")
	refused(t, err, "ValidationException", 400, "at 'functionName' failed to satisfy constraint")
	_, err = a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("q"), Qualifier: aws.String("$LATEST")})
	refused(t, err, "InvalidParameterValueException", 400, "$LATEST version cannot be deleted without deleting the function.")
}

// With a lag, reads trail behind what has been done.
func TestLag(t *testing.T) {
	a := open(t, emulator.Options{Lag: time.Minute})
	must(a.lambda.CreateFunction(t.Context(), a.input("f")))(t)
	get := func() error {
		_, err := a.lambda.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: aws.String("f")})
		return err
	}
	refused(t, get(), "ResourceNotFoundException", 404, "")
	a.pass()
	if err := get(); err != nil {
		t.Error(err)
	}
	must(a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}))(t)
	if err := get(); err != nil {
		t.Error(err)
	}
	a.pass()
	refused(t, get(), "ResourceNotFoundException", 404, "")
}
