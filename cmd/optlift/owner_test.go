package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

// failing runs the program, which must not do what it is asked for, and returns
// what it says.
func failing(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	io := &streams{in: strings.NewReader(""), out: &out, err: &problems}
	if got := run(context.WithoutCancel(t.Context()), args, io); got != want {
		t.Fatalf("optlift %s exits %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), problems.String())
	}
	return problems.String()
}

func holds(t *testing.T, file string, texts ...string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(string(body), text) {
			t.Errorf("%s lacks %q:\n%s", file, text, body)
		}
	}
}

const anImage = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0123"

// The template of a stack is read from CloudFormation; "not there", "not allowed"
// and "could not" are three answers.
func TestPatchAsksForTheTemplate(t *testing.T) {
	a := sessiontest.StartWith(t, emulator.Options{Functions: demoFunctions, Delay: time.Millisecond})
	machine(t)
	dir := t.TempDir()
	patchOf := func(function string) []string {
		return []string{"patch", function, "-d", filepath.Join(dir, function), "--image", anImage}
	}
	for kind, says := range map[emulator.Failure]string{
		emulator.AccessDenied: "not allowed to read the template of stack web-production",
		emulator.ExpiredToken: "could not read the template of stack web-production",
	} {
		a.Inject(emulator.Fault{Operation: "GetTemplate", Kind: kind, Count: -1})
		if got := failing(t, exitFailed, patchOf("web-storefront")...); !strings.Contains(got, says) || !strings.Contains(got, "--template FILE") {
			t.Errorf("%s: %s", kind, got)
		}
		a.ClearFaults()
	}
	program(t, exitDone, patchOf("web-storefront")...)
	holds(t, filepath.Join(dir, "web-storefront", "web-production.yaml"), "PackageType: Image", "ImageUri: "+anImage, "FunctionName: web-storefront")
	holds(t, filepath.Join(dir, "web-storefront", "import-web-production.yaml"), "DeletionPolicy: Retain", "ImageUri: "+anImage)
	program(t, exitDone, patchOf("accounts-signup-api")...)
	holds(t, filepath.Join(dir, "accounts-signup-api", "accounts-api.yaml"), "AWS::Serverless::Function", "ImageUri: "+anImage)

	// The CDK's template says which construct it is.
	a.PutStack("web-production", `{"Resources": {"StorefrontFunction": {"Type": "AWS::Lambda::Function",
 "Properties": {"Code": {"S3Bucket": "b", "S3Key": "k"}, "Handler": "h", "Runtime": "nodejs22.x", "Role": "r"},
 "Metadata": {"aws:cdk:path": "Web/Storefront/Resource"}}}}`)
	if err := os.RemoveAll(filepath.Join(dir, "web-storefront")); err != nil {
		t.Fatal(err)
	}
	program(t, exitDone, patchOf("web-storefront")...)
	holds(t, filepath.Join(dir, "web-storefront", "construct.ts"), "new lambda.DockerImageFunction(scope, 'Storefront'", "['Web', 'Storefront', 'Resource']")
	holds(t, filepath.Join(dir, "web-storefront", "STEPS.md"), "construct `Web/Storefront/Resource`")
}

// A function that somebody else keeps is left alone, and the change of what keeps
// it is written.
func TestMigrateLeavesKeptFunctionsAlone(t *testing.T) {
	a := sessiontest.StartWith(t, emulator.Options{Functions: demoFunctions, Delay: time.Millisecond})
	machine(t)
	t.Chdir(t.TempDir())
	a.ForgetCalls()
	says := failing(t, exitFailed, "migrate", "web-storefront", "--write", "--confirm", "web-storefront")
	for _, want := range []string{"CloudFormation stack web-production manages the function", "nothing was changed", "read web-storefront-patch/STEPS.md next"} {
		if !strings.Contains(says, want) {
			t.Errorf("%q was not said: %s", want, says)
		}
	}
	holds(t, "web-storefront-patch/web-production.yaml", "ImageUri: "+imageToCome)
	if says := failing(t, exitFailed, "migrate", "web-storefront", "--write", "--confirm", "web-storefront"); !strings.Contains(says, "holds files already") {
		t.Errorf("again: %s", says)
	}

	const configuration = `resource "aws_lambda_function" "cancel" {
  function_name = "orders-cancel"
  role          = "arn:aws:iam::123456789012:role/x"
  handler       = "index.handler"
  runtime       = "nodejs22.x"
  filename      = "x.zip"
}
`
	if err := os.Mkdir("infra", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"infra/main.tf": configuration, "infra/variables.tf": "variable \"x\" {}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept := []string{"migrate", "orders-cancel", "--write", "--confirm", "orders-cancel", "--terraform", "infra"}
	says = failing(t, exitFailed, append(kept, "--patch", "change")...)
	for _, want := range []string{"Terraform keeps the function (aws_lambda_function.cancel in main.tf)", "--accept terraform-managed", "the change of main.tf is in change"} {
		if !strings.Contains(says, want) {
			t.Errorf("%q was not said: %s", want, says)
		}
	}
	holds(t, "change/main.tf", `package_type  = "Image"`, `image_uri     = "`+imageToCome+`"`)
	holds(t, "change/import.tf", "to = aws_lambda_function.cancel")
	holds(t, "change/STEPS.md", "apply -refresh-only")
	for _, c := range a.Calls() {
		if c.Service == "lambda" && !strings.HasPrefix(c.Operation, "Get") && !strings.HasPrefix(c.Operation, "List") {
			t.Errorf("%s was called", c.Operation)
		}
	}
	if got := program(t, exitPartly, "plan", "orders-cancel", "--terraform", "infra/main.tf"); !strings.Contains(got, "terraform-managed") {
		t.Errorf("plan: %s", got)
	}
	for _, wrong := range [][]string{{"plan", "--where", "name:orders", "--terraform", "infra"}, {"plan", "orders-cancel", "--resource", "x"}} {
		if says := failing(t, exitUsage, wrong...); !strings.Contains(says, "--terraform") {
			t.Errorf("%v: %s", wrong, says)
		}
	}
	if says := failing(t, exitFailed, "plan", "orders-cancel", "--terraform", "infra/variables.tf"); !strings.Contains(says, "--resource") {
		t.Errorf("another configuration: %s", says)
	}
	program(t, exitDone, "plan", "orders-cancel", "--terraform", "infra", "--accept", "terraform-managed")
}
