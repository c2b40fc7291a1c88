package patch

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Stack is what the steps for a CloudFormation stack are written for.
type Stack struct {
	Function, Stack, Logical, File, Image string
	Migrated                              bool // the function is a container image already
	Serverless                            bool // the template is SAM's
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
	if len(s.Result.Outputs) > 0 {
		p("- These outputs refer to it: %s.", strings.Join(s.Result.Outputs, ", "))
	}
	if s.Result.Construct != "" {
		p("- The CDK made this template, and would make the old one again: change the construct `%s`. `construct.ts` has", s.Result.Construct)
		p("  the code, three ways; the patch shows what has to come out of `cdk synth`.")
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
	p("1. Deploy `retain-%s`, which is the template as it is with `DeletionPolicy: Retain` on `%s`. Nothing changes in the account.", s.File, s.Logical)
	p("2. Take `%s` out of the template%s, and deploy. The function stays, without its stack.", s.Logical, withUsers(slices.Concat(s.Result.Users, s.Result.Outputs)))
	if s.Migrated {
		p("3. The function is a container image already.")
	} else {
		p("3. `optlift migrate %s --write --confirm %s`, with `--accept stack-managed` while its tags still name the stack;\n   put the image that it names into the template.", s.Function, s.Function)
	}
	p("4. Import it with `import-%s`, which has `%s` patched and with `DeletionPolicy: Retain`%s:\n", s.File, s.Logical, s.without())
	p("   ```sh\n   aws cloudformation create-change-set --stack-name %s --change-set-name optlift-import --change-set-type IMPORT \\\n"+
		"     --resources-to-import file://import.json --template-body file://import-%s --capabilities CAPABILITY_IAM\n"+
		"   aws cloudformation execute-change-set --stack-name %s --change-set-name optlift-import\n   ```\n", s.Stack, s.File, s.Stack)
	if s.Serverless {
		p("   An import takes no SAM resource: use the processed template\n   (`aws cloudformation get-template --template-stage Processed`) for steps 1 to 4.\n")
	}
	if back := slices.Concat(s.Result.Users, s.Result.Outputs); len(back) > 0 {
		p("5. Put %s back, and deploy.", strings.Join(back, ", "))
	}
	if s.Result.Construct != "" {
		p("In the CDK, step 1 is `fn.applyRemovalPolicy(RemovalPolicy.RETAIN)`, and step 4 `cdk import` with the changed construct.")
	}
	return b.String()
}

// without says what an import's template must not have: an import can't make
// resources, nor change outputs
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html).
func (s *Stack) without() string {
	out := slices.Concat(s.Result.Users, s.Result.Outputs)
	if len(out) == 0 {
		return ""
	}
	return "; take " + strings.Join(out, ", ") + " out of it first"
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
