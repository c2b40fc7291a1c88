package patch

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Stack is what the steps for a CloudFormation stack are written for.
type Stack struct {
	Function, Stack, Logical, File, Image string
	Migrated                              bool // the function is a container image already
	Serverless                            bool // the template is SAM's
	CDK                                   bool // the template was made by the CDK
	Result                                *Result
}

// Import is the list that an import of the function into its stack asks for
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html).
func (s *Stack) Import() (string, error) {
	text, err := json.MarshalIndent([]map[string]any{{
		"ResourceType": lambdaFunction, "LogicalResourceId": s.Logical, "ResourceIdentifier": map[string]string{"FunctionName": s.Function},
	}}, "", "  ")
	return string(text) + "\n", err
}

// Steps tells in what order the patch and the switch go together.
func (s *Stack) Steps() string {
	b := &strings.Builder{}
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	p("# %s of stack %s as a container image\n", s.Function, s.Stack)
	p("`%s.patch` makes resource `%s` of `%s` a container image function:\n`%s`.\n", s.File, s.Logical, s.File, s.Image)
	p("CloudFormation can't change a function's package type: it makes a new function and deletes the old one, and")
	p("refuses to do so where the template gives the function its name.\n")
	for _, n := range s.Result.Notes {
		p("- Look first: %s.", n)
	}
	if len(s.Result.Users) > 0 {
		p("- These resources refer to it: %s.", strings.Join(s.Result.Users, ", "))
	}
	if s.CDK {
		p("- The CDK made this template: change the construct instead, as below; the patch shows what comes out.")
	}
	p("\n## Either: let the stack replace the function\n")
	if s.Result.Name != "" {
		p("1. Take out, or change, its `FunctionName`. Callers that know the name or the ARN have to follow.")
	} else {
		p("1. The template gives no `FunctionName`: the new function gets a name and an ARN of its own, and what refers to it in the\n   template follows. Callers outside do not.")
	}
	p("2. `patch %s < %s.patch`, and look at it.", s.File, s.File)
	p("3. `aws cloudformation deploy --stack-name %s --template-file %s --capabilities CAPABILITY_IAM`\n", s.Stack, s.File)
	p("## Or: keep the name and the ARN, and bring the function back by an import\n")
	p("1. Give `%s` the attribute `DeletionPolicy: Retain` and deploy. Nothing changes in the account.", s.Logical)
	p("2. Take `%s` out of the template%s, and deploy. The function stays, without its stack.", s.Logical, withUsers(s.Result.Users))
	if s.Migrated {
		p("3. The function is a container image already.")
	} else {
		p("3. `optlift migrate %s --write --confirm %s`; put the image that it names into the template.", s.Function, s.Function)
	}
	p("4. Put `%s` back into the template, patched and with `DeletionPolicy: Retain`, and import it:\n", s.Logical)
	p("   ```sh\n   aws cloudformation create-change-set --stack-name %s --change-set-name optlift-import --change-set-type IMPORT \\\n"+
		"     --resources-to-import file://import.json --template-body file://%s --capabilities CAPABILITY_IAM\n"+
		"   aws cloudformation execute-change-set --stack-name %s --change-set-name optlift-import\n   ```\n", s.Stack, s.File, s.Stack)
	if s.Serverless {
		p("   An import takes no SAM resource: use the processed template\n   (`aws cloudformation get-template --template-stage Processed`) for steps 1 to 4.\n")
	}
	if len(s.Result.Users) > 0 {
		p("5. Put %s back, and deploy.", strings.Join(s.Result.Users, ", "))
	}
	if s.CDK {
		p("\n## The construct\n")
		p("```ts\nnew lambda.DockerImageFunction(this, '%s', {\n  code: lambda.DockerImageCode.fromEcr(ecr.Repository.fromRepositoryName(this, '%sImage', '%s'), { tagOrDigest: '%s' }),\n"+
			"  // role, memorySize, timeout, environment … as before; no runtime, handler, layers or snapStart\n});\n```\n", s.Logical, s.Logical, repositoryOf(s.Image), digestOf(s.Image))
		p("Keep the logical id with `(fn.node.defaultChild as lambda.CfnFunction).overrideLogicalId('%s')`.", s.Logical)
	}
	return b.String()
}

func withUsers(users []string) string {
	if len(users) == 0 {
		return ""
	}
	return ", with what refers to it (" + strings.Join(users, ", ") + ")"
}

func repositoryOf(image string) string {
	name, _, _ := strings.Cut(image, "@")
	_, path, _ := strings.Cut(name, "/")
	if at := strings.LastIndex(path, ":"); at > 0 && !strings.Contains(path[at:], "/") {
		path = path[:at]
	}
	return path
}

func digestOf(image string) string {
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return digest
	}
	return image[strings.LastIndex(image, ":")+1:]
}

// Configuration is what the steps for Terraform are written for.
type Configuration struct {
	Function, Address, File, Image string
	Migrated                       bool
	Notes                          []string
}

// Import is the block that takes the function into a state that does not know it
// (https://developer.hashicorp.com/terraform/language/import).
func (c *Configuration) Import() string {
	return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", c.Address, c.Function)
}

// Steps tells in what order the patch and the switch go together.
func (c *Configuration) Steps() string {
	b := &strings.Builder{}
	p := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	p("# %s (%s) as a container image\n", c.Function, c.Address)
	p("`%s.patch` makes `%s` of `%s` a container image function:\n`%s`.\n", c.File, c.Address, c.File, c.Image)
	p("Applied by itself Terraform would delete the function and make a new one, and its `aws_lambda_permission` resources")
	p("would be missing until a second apply. Switched first, it only finds what the configuration says.\n")
	for _, n := range c.Notes {
		p("- Look first: %s.", n)
	}
	if c.Migrated {
		p("1. The function is a container image already.")
	} else {
		p("1. `optlift migrate %s --write --confirm %s`; put the image that it names into the patch.", c.Function, c.Function)
	}
	p("2. `patch %s < %s.patch`, and look at it.", c.File, c.File)
	p("3. `terraform apply -refresh-only`: the state learns what the function is now.")
	p("4. `terraform plan` must not say that `%s` is to be replaced: stop, if it does.", c.Address)
	p("   Version numbers that aliases name may be new ones.")
	p("5. Where the state does not know the function any more (`terraform state list`), put `import.tf` beside the\n   configuration for one apply: it takes the function in as `%s`.", c.Address)
	return b.String()
}
