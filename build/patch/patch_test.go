package patch

import (
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

// What an import needs: the policy, and nothing else changed.
func TestRetain(t *testing.T) {
	const one = `{"Resources":{"Shop":{"Type":"AWS::Lambda::Function","Properties":{"Runtime":"go1.x","Handler":"h","Role":"r"}}}}`
	for name, c := range map[string]struct{ text, want string }{
		"yaml":         {plain, strings.Replace(plain, "  Shop:\n", "  Shop:\n    DeletionPolicy: Retain\n", 1)},
		"windows":      {strings.ReplaceAll(plain, "\n", "\r\n"), strings.Replace(strings.ReplaceAll(plain, "\n", "\r\n"), "  Shop:\r\n", "  Shop:\r\n    DeletionPolicy: Retain\r\n", 1)},
		"json":         {flow, strings.Replace(flow, `"Shop": {`+"\n", `"Shop": {`+"\n      "+`"DeletionPolicy": "Retain",`+"\n", 1)},
		"one line":     {one, strings.Replace(one, `"Shop":{"Type"`, `"Shop":{"DeletionPolicy": "Retain", "Type"`, 1)},
		"is there":     {strings.Replace(plain, "  Shop:\n", "  Shop:\n    DeletionPolicy: RetainExceptOnCreate\n", 1), strings.Replace(plain, "  Shop:\n", "  Shop:\n    DeletionPolicy: RetainExceptOnCreate\n", 1)},
		"another":      {strings.Replace(plain, "  Shop:\n", "  Shop:\n    DeletionPolicy: Delete # x\n", 1), strings.Replace(plain, "  Shop:\n", "  Shop:\n    DeletionPolicy: Retain # x\n", 1)},
		"another json": {strings.Replace(one, `"Shop":{`, `"Shop":{"DeletionPolicy":"Delete",`, 1), strings.Replace(one, `"Shop":{`, `"Shop":{"DeletionPolicy":"Retain",`, 1)},
	} {
		got, err := Template(c.text, "Shop", ref)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got.Retain); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		want, err := retain(got.Text, "Shop")
		if err != nil || got.Import != want || !strings.Contains(got.Import, ref) || !strings.Contains(got.Import, "DeletionPolicy") {
			t.Errorf("%s: import %v\n%s", name, err, got.Import)
		}
	}
}

// synthesized is a template as the CDK makes it.
const synthesized = `{
 "Resources": {
  "Shop1A2B3C4D": {
   "Type": "AWS::Lambda::Function",
   "Properties": {
    "Code": {
     "S3Bucket": "cdk-hnb659fds-assets-123456789012-eu-central-1",
     "S3Key": "0123.zip"
    },
    "Handler": "index.handler",
    "Role": "arn:aws:iam::123456789012:role/shop",
    "Runtime": "nodejs22.x"
   },
   "Metadata": {
    "aws:cdk:path": "Web/It's/Shop/Resource",
    "aws:asset:property": "Code"
   }
  }
 },
 "Outputs": {
  "Arn": {"Value": {"Fn::GetAtt": ["Shop1A2B3C4D", "Arn"]}}
 }
}
`

// The construct is told by its path, and the override says what the patch does.
func TestConstructs(t *testing.T) {
	got, err := Template(synthesized, "Shop1A2B3C4D", ref)
	if err != nil {
		t.Fatal(err)
	}
	s := &Stack{Function: "shop", Stack: "web", Logical: "Shop1A2B3C4D", File: "web.template.json", Image: ref, Result: got}
	code := s.Constructs()
	digest := ref[strings.Index(ref, "sha256:"):]
	for _, want := range []string{
		`new lambda.DockerImageFunction(scope, 'Shop', {`, `fromRepositoryName(scope, 'ShopImages', 'shop')`, `{ tagOrDigest: '` + digest + `' }`,
		`lambda.Code.fromEcrImage(`, `const path = ['Web', "It's", 'Shop', 'Resource'];`, `addPropertyOverride('Code.ImageUri', '` + ref + `')`,
		`DeletionOverride('Code.S3Bucket')`, `DeletionOverride('Code.S3Key')`, `DeletionOverride('Handler')`, `DeletionOverride('Runtime')`,
	} {
		if !strings.Contains(code, want) {
			t.Errorf("%s is not in\n%s", want, code)
		}
	}
	if strings.Count(code, "DeletionOverride") != 4 || !slices.Equal(got.Outputs, []string{"Arn"}) {
		t.Errorf("outputs %v\n%s", got.Outputs, code)
	}
	steps := s.Steps()
	for _, want := range []string{"construct `Web/It's/Shop/Resource`", "Deploy `retain-web.template.json`", "take Arn out of it first", "file://import-web.template.json"} {
		if !strings.Contains(steps, want) {
			t.Errorf("%q is not in\n%s", want, steps)
		}
	}
	if plainly, err := Template(plain, "Shop", ref); err != nil || (&Stack{Image: ref, Result: plainly}).Constructs() != "" {
		t.Errorf("a template that no CDK has made: %v", err)
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
