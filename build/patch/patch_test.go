package patch

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const ref = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

const plain = `# the shop
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Role: # for both
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]

  Shop:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: shop   # callers know it
      # what it runs
      Handler: index.handler
      Runtime: nodejs22.x
      Layers:
      - !Sub "arn:${AWS::Partition}:lambda:${AWS::Region}:123456789012:layer:dep:1"

      Role: !GetAtt Role.Arn
      Code:
        ZipFile: |
          exports.handler = async () => 1

          // the end
      # stays
      MemorySize:   256
      SnapStart: {ApplyOn: PublishedVersions}

  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Shop, Action: "lambda:InvokeFunction", Principal: s3.amazonaws.com}
  Alias:
    Type: AWS::Lambda::Alias
    Properties:
      Name: live
      FunctionName: !GetAtt [Shop, Arn]
      FunctionVersion: "1"
Outputs:
  Arn:
    Value: !GetAtt Shop.Arn
`

var plainPatched = strings.NewReplacer(`      # what it runs
      Handler: index.handler
      Runtime: nodejs22.x
      Layers:
      - !Sub "arn:${AWS::Partition}:lambda:${AWS::Region}:123456789012:layer:dep:1"

      Role`, `      # what it runs

      Role`, `      Code:
        ZipFile: |
          exports.handler = async () => 1

          // the end
      # stays`, `      PackageType: Image
      Code:
        ImageUri: `+ref+`
      # stays`, "      SnapStart: {ApplyOn: PublishedVersions}\n", "").Replace(plain)

const sam = `Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: nodejs22.x
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: esbuild
    Properties:
      CodeUri: src/
      Handler: index.handler
      Events:
        Api:
          Type: Api
          Properties: {Path: /, Method: get}
`

var samPatched = strings.Replace(sam, `      CodeUri: src/
      Handler: index.handler
`, `      PackageType: Image
      ImageUri: `+ref+"\n", 1)

const flow = `{
  "Resources": {
    "Shop": {
      "Type": "AWS::Lambda::Function",
      "Properties": {
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Röle", "Arn"]},
        "Runtime": "nodejs22.x",
        "Code": {
          "S3Bucket": "b", "S3Key": "a } \" key"
        },
        "Layers": ["arn:aws:lambda:eu-central-1:123456789012:layer:dep:1"]
      }
    },
    "Url": {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "NONE", "TargetFunctionArn": {"Fn::Sub": "${Shop.Arn}"}}}
  }
}
`

var flowPatched = strings.NewReplacer(`"Handler": "index.handler",
        "Role"`, `"Role"`, `
        "Runtime": "nodejs22.x",
        "Code": {
          "S3Bucket": "b", "S3Key": "a } \" key"
        },
        "Layers": ["arn:aws:lambda:eu-central-1:123456789012:layer:dep:1"]`, `
        "PackageType": "Image",
        "Code": {"ImageUri": "`+ref+`"}`).Replace(flow)

// Nothing but the function's own properties changes, to the byte.
func TestTemplate(t *testing.T) {
	for _, c := range []struct {
		name, text, want, function string
		users, notes               []string
	}{
		{"yaml", plain, plainPatched, "shop", []string{"Alias", "Permission"}, nil},
		{"sam", sam, samPatched, "", nil, []string{"Globals.Function sets Runtime", "the resource has Metadata"}},
		{"json", flow, flowPatched, "", []string{"Url"}, nil},
		{"json in one line", `{"Resources":{"Shop":{"Type":"AWS::Lambda::Function","Properties":{"Code":{"S3Bucket":"b","S3Key":"k"},"Runtime":"go1.x","Handler":"h","Role":"r"}}}}`,
			`{"Resources":{"Shop":{"Type":"AWS::Lambda::Function","Properties":{"PackageType": "Image","Code": {"ImageUri": "` + ref + `"},"Role":"r"}}}}`, "", nil, nil},
		{"windows lines", strings.ReplaceAll(plain, "\n", "\r\n"), strings.ReplaceAll(plainPatched, "\n", "\r\n"), "shop", []string{"Alias", "Permission"}, nil},
		{"again", plainPatched, plainPatched, "shop", []string{"Alias", "Permission"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Template(c.text, "Shop", ref)
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "again" { // the two properties may change places
				got.Text = strings.Replace(got.Text, "      PackageType: Image\n", "", 1)
				c.want = strings.Replace(c.want, "      PackageType: Image\n", "", 1)
			}
			if d := cmp.Diff(c.want, got.Text); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if got.Name != c.function || !slices.Equal(got.Users, c.users) || len(got.Notes) != len(c.notes) {
				t.Errorf("%q %v %v", got.Name, got.Users, got.Notes)
			}
			for i, n := range c.notes {
				if !strings.HasPrefix(got.Notes[i], n) {
					t.Errorf("note %q, want %q", got.Notes[i], n)
				}
			}
		})
	}
}

// What can't be changed for certain is refused.
func TestTemplateRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"not YAML":      {"a: [", "read the template"},
		"empty":         {"", "it is empty"},
		"other stack":   {"Resources: {Other: {Type: x}}", "no resource Shop"},
		"other type":    {"Resources: {Shop: {Type: AWS::S3::Bucket}}", "AWS::S3::Bucket"},
		"no properties": {"Resources: {Shop: {Type: AWS::Lambda::Function}}", "no properties"},
		"a macro":       {"Resources: {Shop: {Type: AWS::Lambda::Function, Properties: {Fn::Transform: {Name: x}}}}", "by hand"},
		"a merge key":   {"x: &x {Runtime: a}\nResources: {Shop: {Type: AWS::Lambda::Function, Properties: {<<: *x, Role: r}}}", "by hand"},
	} {
		if got, err := Template(c.text, "Shop", ref); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// A program that is not ours reads what was patched.
func TestTemplateForCfnLint(t *testing.T) {
	lint, err := exec.LookPath("cfn-lint")
	if err != nil {
		t.Skip("cfn-lint is not installed here")
	}
	file := filepath.Join(t.TempDir(), "template.yaml")
	got, err := Template(plain, "Shop", ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(got.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Only errors: the template asks for nothing that it does not need.
	if out, err := exec.CommandContext(t.Context(), lint, "--non-zero-exit-code", "error", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

const hclText = `# the shop
resource "aws_lambda_function" "shop" {
  function_name = "shop" # callers know it
  role          = aws_iam_role.shop.arn

  # what it runs
  filename         = "shop.zip"
  source_code_hash = filebase64sha256("shop.zip")
  handler          = "index.handler"
  runtime          = "nodejs22.x"
  layers           = [aws_lambda_layer_version.dep.arn]

  memory_size =    256

  snap_start {
    apply_on = "PublishedVersions"
  }

  environment {
    variables = { A = "1" }
  }
}

resource "aws_lambda_function" "other" {
  function_name = "other"
  handler = "index.handler"
}
`

func TestTerraform(t *testing.T) {
	got, err := Terraform("main.tf", hclText, "", "shop", ref)
	if err != nil || got == nil || got.Name != "aws_lambda_function.shop" {
		t.Fatalf("%+v, %v", got, err)
	}
	own, other, _ := strings.Cut(got.Text, `resource "aws_lambda_function" "other"`)
	for _, gone := range []string{"filename", "source_code_hash", "handler ", "runtime ", "layers ", "snap_start"} {
		if strings.Contains(own, gone) {
			t.Errorf("%s is still there:\n%s", gone, own)
		}
	}
	for _, there := range []string{"# the shop", "# callers know it", "memory_size =    256", `variables = { A = "1" }`, `package_type`, `"` + ref + `"`} {
		if !strings.Contains(own, there) {
			t.Errorf("%s is gone:\n%s", there, own)
		}
	}
	if !strings.HasSuffix(hclText, other) {
		t.Errorf("the other function changed: %s", other)
	}
	if got, err := Terraform("main.tf", hclText, "other", "shop", ref); err != nil || got.Name != "aws_lambda_function.other" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Terraform("main.tf", hclText, "", "gone", ref); err != nil || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Terraform("main.tf", "resource {", "", "shop", ref); err == nil {
		t.Error("nonsense was read")
	}
	if _, err := Terraform("main.tf", hclText+strings.Replace(hclText, `"shop" {`, `"again" {`, 1), "", "shop", ref); err == nil || !strings.Contains(err.Error(), "--resource") {
		t.Errorf("%v", err)
	}
}
