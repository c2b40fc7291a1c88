package emulator_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/optlift/optlift/aws/emulator"
)

// image puts a handler on the account's own Node.js base image.
func (a account) image(entries ...tar.Header) v1.Image {
	a.Helper()
	host := strings.TrimPrefix(a.server.URL(), "http://")
	ref := must(name.ParseReference(host + "/lambda/nodejs:22"))(a)
	base := must(remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: "amd64"})))(a)
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, h := range entries {
		content := []byte(nil)
		if h.Typeflag == tar.TypeReg {
			content = []byte("exports.handler = async (e) => 'image says ' + e.name")
			h.Size = int64(len(content))
		}
		if err := tw.WriteHeader(&h); err != nil {
			a.Fatal(err)
		}
		if _, err := tw.Write(content); err != nil {
			a.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		a.Fatal(err)
	}
	layers := must(base.Layers())(a)
	kind := must(layers[0].MediaType())(a) // of the base's family
	layer := must(tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithMediaType(kind)))(a)
	img := must(mutate.AppendLayers(base, layer))(a)
	config := must(img.ConfigFile())(a).DeepCopy()
	config.Config.Cmd = []string{"index.handler"}
	return must(mutate.ConfigFile(img, config))(a)
}

// push stores an image in a repository of ECR's and returns its URI.
func (a account) push(repository string, img v1.Image) string {
	a.Helper()
	c := ecr.New(ecr.Options{Region: "eu-central-1", BaseEndpoint: aws.String(a.server.URL()), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "s", "")})
	repo := must(c.CreateRepository(a.Context(), &ecr.CreateRepositoryInput{RepositoryName: &repository}))(a)
	token := must(c.GetAuthorizationToken(a.Context(), &ecr.GetAuthorizationTokenInput{}))(a)
	plain := must(base64.StdEncoding.DecodeString(*token.AuthorizationData[0].AuthorizationToken))(a)
	user, password, _ := strings.Cut(string(plain), ":")
	ref := must(name.ParseReference(*repo.Repository.RepositoryUri + ":v1"))(a)
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: user, Password: password})); err != nil {
		a.Fatal(err)
	}
	return ref.String()
}

var (
	dirVar   = tar.Header{Typeflag: tar.TypeDir, Name: "var/", Mode: 0o755}
	dirTask  = tar.Header{Typeflag: tar.TypeDir, Name: "var/task/", Mode: 0o755}
	fileCode = tar.Header{Typeflag: tar.TypeReg, Name: "var/task/index.js", Mode: 0o644}
)

// settled waits until a function's image has been looked at.
func (a account) settled(function string) *types.FunctionConfiguration {
	a.Helper()
	a.pass()
	for a.Context().Err() == nil {
		if c := a.get(function).Configuration; c.State != types.StatePending && c.LastUpdateStatus != types.LastUpdateStatusInProgress {
			return c
		}
	}
	a.Fatal("the function did not settle")
	return nil
}

func (a account) createImage(function, uri string) (*lambda.CreateFunctionOutput, error) {
	return a.lambda.CreateFunction(a.Context(), &lambda.CreateFunctionInput{
		FunctionName: &function, Role: aws.String(role), PackageType: types.PackageTypeImage, Code: &types.FunctionCode{ImageUri: &uri},
	})
}

func TestImageFunction(t *testing.T) {
	a := open(t, emulator.Options{})
	img := a.image(dirVar, dirTask, fileCode)
	uri := a.push("good", img)
	digest := must(img.Digest())(t)
	made := must(a.createImage("f", uri))(t)
	if made.State != types.StatePending || *made.CodeSha256 != digest.Hex || made.Runtime != "" || made.Handler != nil || made.RuntimeVersionConfig != nil {
		t.Errorf("created %+v", made)
	}
	if c := a.settled("f"); c.State != types.StateActive {
		t.Fatalf("%s: %s", c.State, aws.ToString(c.StateReason))
	}
	code := a.get("f").Code
	if *code.RepositoryType != "ECR" || *code.ImageUri != uri || *code.ResolvedImageUri != strings.TrimSuffix(uri, ":v1")+"@"+digest.String() || code.Location != nil {
		t.Errorf("code is %+v", code)
	}
	out := must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte(`{"name":"hi"}`)}))(t)
	if string(out.Payload) != `"image says hi"` {
		t.Errorf("answered %s", out.Payload)
	}
	_, err := a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipped(t, "a", "b")})
	refused(t, err, "InvalidParameterValueException", 400, "Please provide ImageUri when updating a function with packageType Image.")
	_, err = a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Handler: aws.String("h")})
	refused(t, err, "InvalidParameterValueException", 400, "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")

	// Images can be snapshotted, too.
	must(a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), SnapStart: &types.SnapStart{ApplyOn: types.SnapStartApplyOnPublishedVersions}}))(t)
	a.settled("f")
	if v := must(a.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: aws.String("f")}))(t); v.State != types.StatePending || v.SnapStart.OptimizationStatus != types.SnapStartOptimizationStatusOn {
		t.Errorf("published with %+v, %s", v.SnapStart, v.State)
	}

	set := func(c *types.ImageConfig) *lambda.UpdateFunctionConfigurationOutput {
		t.Helper()
		out := must(a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), ImageConfig: c}))(t)
		a.settled("f")
		return out
	}
	if got := set(&types.ImageConfig{Command: []string{"other.handler"}}).ImageConfigResponse; got == nil || got.ImageConfig.Command[0] != "other.handler" {
		t.Errorf("image configuration %+v", got)
	}
	if got := set(&types.ImageConfig{}).ImageConfigResponse; got != nil {
		t.Errorf("an empty image configuration left %+v", got)
	}
}

func TestBadImageFails(t *testing.T) {
	a := open(t, emulator.Options{})
	must(a.createImage("f", a.push("bad", a.image(dirVar, fileCode))))(t) // var/task/ is missing
	c := a.settled("f")
	if c.State != types.StateFailed || c.StateReasonCode != types.StateReasonCodeInvalidImage || !strings.Contains(*c.StateReason, "MissingParentDirectory") {
		t.Errorf("%s, %s: %s", c.State, c.StateReasonCode, aws.ToString(c.StateReason))
	}
	_, err := a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	refused(t, err, "ResourceConflictException", 409, "The function is currently in the following state: Failed")
	_, err = a.createImage("g", "public.ecr.aws/lambda/nodejs:22")
	refused(t, err, "InvalidParameterValueException", 400, "Source image public.ecr.aws/lambda/nodejs:22 is not valid. Provide a valid source image.")
	_, err = a.createImage("g", "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1")
	refused(t, err, "InvalidParameterValueException", 400, "")
}

// An image that ECR has lost can't be made ready again.
func TestIdleImageWithoutItsImage(t *testing.T) {
	a := open(t, emulator.Options{})
	must(a.createImage("f", a.push("app", a.image(dirVar, dirTask, fileCode))))(t)
	a.settled("f")
	c := ecr.New(ecr.Options{Region: "eu-central-1", BaseEndpoint: aws.String(a.server.URL()), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "s", "")})
	must(c.DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("app"), Force: true}))(t)
	a.server.Advance(60 * 24 * time.Hour)
	_, err := a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	refused(t, err, "ResourceConflictException", 409, "Inactive")
	if c := a.settled("f"); c.State != types.StateFailed || c.StateReasonCode != types.StateReasonCodeImageDeleted {
		t.Errorf("%s, %s: %s", c.State, c.StateReasonCode, aws.ToString(c.StateReason))
	}
}
