package patch

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Result is a patched text and what its owner has to know.
type Result struct {
	Text string
	// Name is the function's name where the text gives one, "" where AWS makes one
	// up, and what the text computes otherwise.
	Name  string
	Notes []string
	// Users are the other resources of a template that refer to the function,
	// Outputs its outputs that do.
	Users, Outputs []string
	// Construct is the path of the construct that the CDK made the resource from,
	// "" where the template does not say.
	Construct string
	// Import is Text with the function's DeletionPolicy as an import asks for it, and
	// Retain the text as it was with that policy; "" for Terraform.
	Import, Retain string

	kept    []string // properties that stay
	dropped []string // properties that go, such as Handler or Code.S3Bucket
}

// The resource types that make a function.
const (
	lambdaFunction     = "AWS::Lambda::Function"
	serverlessFunction = "AWS::Serverless::Function"
)

// zipProperties are those that an image function must not have; Code is replaced
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html,
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html).
var zipProperties = []string{"Handler", "Runtime", "Layers", "SnapStart", "CodeSigningConfigArn", "RuntimeManagementConfig", "PackageType",
	"Code", "CodeUri", "InlineCode", "ImageUri"}

// Template makes the function that a template calls logical a container image.
// image is the reference to put in.
func Template(text, logical, image string) (*Result, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("read the template: it is empty")
	}
	root := doc.Content[0]
	resource := value(value(root, "Resources"), logical)
	if resource == nil {
		return nil, fmt.Errorf("the template has no resource %s: is it the template of this function's stack?", logical)
	}
	kind := scalar(value(resource, "Type"))
	if kind != lambdaFunction && kind != serverlessFunction {
		return nil, fmt.Errorf("resource %s of the template is of type %s, not a function that can be changed here", logical, kind)
	}
	properties := value(resource, "Properties")
	if properties == nil || properties.Kind != yaml.MappingNode || len(properties.Content) == 0 {
		return nil, fmt.Errorf("resource %s of the template has no properties of its own to change", logical)
	}
	if value(properties, "Fn::Transform") != nil || value(properties, "Fn::If") != nil || value(properties, "<<") != nil {
		return nil, fmt.Errorf("the properties of resource %s are put together by a macro, a condition or a merge key: change them by hand", logical)
	}
	r := &Result{
		Users: users(value(root, "Resources"), logical), Outputs: users(value(root, "Outputs"), logical),
		Construct: scalar(value(value(resource, "Metadata"), constructPath)),
	}
	r.split(properties)
	if name := value(properties, "FunctionName"); name != nil {
		r.Name = strings.TrimSpace(display(name))
	}
	if kind == serverlessFunction {
		r.serverless(root, resource)
	}
	var err error
	if properties.Style&yaml.FlowStyle != 0 {
		r.Text, err = flowProperties(text, properties, kind, image)
	} else {
		r.Text, err = blockProperties(text, properties, kind, image)
	}
	if err != nil {
		return nil, err
	}
	if err := r.check(logical, kind, image); err != nil {
		return nil, err
	}
	if r.Import, err = retain(r.Text, logical); err != nil {
		return nil, err
	}
	r.Retain, err = retain(text, logical)
	return r, err
}

// constructPath is the CDK's note of where a resource comes from
// (https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html).
const constructPath = "aws:cdk:path"

// split tells the properties that stay from those that go.
func (r *Result) split(properties *yaml.Node) {
	for i := 0; i+1 < len(properties.Content); i += 2 {
		key, v := properties.Content[i].Value, properties.Content[i+1]
		switch {
		case key == "PackageType":
		case !slices.Contains(zipProperties, key):
			r.kept = append(r.kept, key)
		case key == "Code" && v.Kind == yaml.MappingNode:
			for j := 0; j+1 < len(v.Content); j += 2 {
				if inner := v.Content[j].Value; inner != "ImageUri" {
					r.dropped = append(r.dropped, key+"."+inner)
				}
			}
		default:
			r.dropped = append(r.dropped, key)
		}
	}
}

// serverless tells what SAM adds from elsewhere in the template.
func (r *Result) serverless(root, resource *yaml.Node) {
	for _, p := range []string{"Runtime", "Handler", "Layers", "CodeUri", "SnapStart"} {
		if value(value(value(root, "Globals"), "Function"), p) != nil {
			r.Notes = append(r.Notes, "Globals.Function sets "+p+", which SAM gives to this function too and an image function must not have: move it to the functions that stay zips")
		}
	}
	if value(resource, "Metadata") != nil {
		r.Notes = append(r.Notes, "the resource has Metadata: with a BuildMethod or a Dockerfile in it, sam build would build another image over this one")
	}
}

// check reads the patched text again: it must say what was meant, and nothing else
// may be gone.
func (r *Result) check(logical, kind, image string) error {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(r.Text), &doc); err != nil || len(doc.Content) != 1 {
		return fmt.Errorf("the patched template can't be read again, so it is not given out: %w", err)
	}
	p := value(value(value(doc.Content[0], "Resources"), logical), "Properties")
	got := scalar(value(value(p, "Code"), "ImageUri"))
	if kind == serverlessFunction {
		got = scalar(value(p, "ImageUri"))
	}
	if got != image || scalar(value(p, "PackageType")) != "Image" || value(p, "Handler") != nil || value(p, "Runtime") != nil || value(p, "Layers") != nil {
		return errors.New("the template is laid out in a way that can't be patched safely: change it by hand")
	}
	return nil
}

// value is what a mapping has under a key; nil for none.
func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// display is a value for people: a scalar, or the intrinsic function as written.
func display(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		return n.Value
	}
	out, err := yaml.Marshal(n)
	if err != nil {
		return n.Value
	}
	return string(out)
}

// users are the resources that refer to logical, by name.
func users(resources *yaml.Node, logical string) []string {
	var out []string
	for i := 0; resources != nil && i+1 < len(resources.Content); i += 2 {
		if name := resources.Content[i].Value; name != logical && refers(resources.Content[i+1], logical) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// refers finds Ref, GetAtt, Sub and DependsOn, in both their spellings.
func refers(n *yaml.Node, logical string) bool {
	if n.Kind == yaml.ScalarNode {
		v := n.Value
		switch n.Tag {
		case "!Ref":
			return v == logical
		case "!GetAtt":
			return v == logical || strings.HasPrefix(v, logical+".")
		}
		return strings.Contains(v, "${"+logical+"}") || strings.Contains(v, "${"+logical+".")
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			switch n.Content[i-1].Value {
			case "Ref", "DependsOn", "Fn::GetAtt":
				first := c
				for _, item := range c.Content {
					if item.Value == logical {
						return true
					}
				}
				if first.Value == logical || strings.HasPrefix(first.Value, logical+".") {
					return true
				}
			}
		}
		if n.Tag == "!GetAtt" && c.Value == logical || refers(c, logical) {
			return true
		}
	}
	return false
}
