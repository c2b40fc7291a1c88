package infra

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// CDK writes f as a stack of the Cloud Development Kit in TypeScript, out of the
// constructs that are CloudFormation's resources one to one.
func CDK(f *Function) string {
	t := newTemplate(f, cfnFunction(f))
	var b strings.Builder
	b.WriteString(f.notes("// "))
	b.WriteString(`// Deploy it without an image first, push to the repository, then deploy it with
// --parameters Image=URI@sha256:…
import { App, CfnCondition, CfnParameter, Fn, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export class FunctionStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

`)
	for _, p := range t.parameters {
		about := "type: 'String', description: " + scalar(p.about)
		if p.secret {
			about += ", noEcho: true"
		}
		if p.value != nil {
			about += ", default: " + scalar(*p.value)
		}
		fmt.Fprintf(&b, "    const %s = new CfnParameter(this, '%s', { %s });\n", t.variable(p.name), p.name, about)
	}
	fmt.Fprintf(&b, "    const hasImage = new CfnCondition(this, 'HasImage', {\n      expression: Fn.conditionNot(Fn.conditionEquals(%s.valueAsString, '')),\n    });\n", t.variable(image))
	for _, r := range t.resources {
		module, class := "lambda", strings.TrimPrefix(r.kind, "AWS::Lambda::")
		if c, ok := strings.CutPrefix(r.kind, "AWS::ECR::"); ok {
			module, class = "ecr", c
		}
		var own props
		var after []string
		for _, p := range r.props {
			if p.name == dependsOn {
				after = append(after, fmt.Sprint(p.value))
			} else {
				own = append(own, p)
			}
		}
		fmt.Fprintf(&b, "\n    const %s = new %s.Cfn%s(this, '%s', ", t.variable(r.name), module, class, r.name)
		t.typescript(&b, own, "    ")
		b.WriteString(");\n")
		if r.conditional {
			fmt.Fprintf(&b, "    %s.cfnOptions.condition = hasImage;\n", t.variable(r.name))
		}
		if r.keep {
			fmt.Fprintf(&b, "    %s.applyRemovalPolicy(RemovalPolicy.RETAIN);\n", t.variable(r.name))
		}
		for _, id := range after {
			fmt.Fprintf(&b, "    %s.addDependency(%s);\n", t.variable(r.name), t.variable(id))
		}
	}
	used := map[string]bool{}
	fmt.Fprintf(&b, "  }\n}\n\nconst app = new App();\nnew FunctionStack(app, '%s', { env: { account: %s, region: %s } });\n",
		identifier("Function", f.Name, used), scalar(f.Account), scalar(f.Region))
	return b.String()
}

// variable names a parameter or resource in the program: function is a keyword.
func (t *template) variable(name string) string {
	for _, p := range t.parameters {
		if p.name == name {
			return lowerFirst(name) + "Parameter"
		}
	}
	return lowerFirst(name) + "Resource"
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// camel is how the kit spells properties whose names hold abbreviations.
var camel = map[string]string{
	"DocumentDBEventSourceConfig": "documentDbEventSourceConfig", "URI": "uri", "PrincipalOrgID": "principalOrgId",
}

// word is a key that needs no quotes.
var word = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (t *template) typescript(b *strings.Builder, v any, indent string) {
	switch v := v.(type) {
	case props:
		b.WriteString("{\n")
		for _, p := range v {
			name := camel[p.name]
			if name == "" {
				name = lowerFirst(p.name)
			}
			fmt.Fprintf(b, "%s  %s: ", indent, name)
			t.typescript(b, p.value, indent+"  ")
			b.WriteString(",\n")
		}
		b.WriteString(indent + "}")
	case data:
		b.WriteString("{\n")
		for _, k := range slices.Sorted(maps.Keys(v)) {
			key := k
			if !word.MatchString(k) {
				key = scalar(k)
			}
			fmt.Fprintf(b, "%s  %s: ", indent, key)
			t.typescript(b, v[k], indent+"  ")
			b.WriteString(",\n")
		}
		b.WriteString(indent + "}")
	case []any:
		b.WriteString("[")
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			t.typescript(b, e, indent)
		}
		b.WriteString("]")
	case ref:
		name := t.variable(v.name)
		switch {
		case v.attribute != "":
			fmt.Fprintf(b, "%s.attr%s", name, v.attribute)
		case strings.HasSuffix(name, "Parameter"):
			b.WriteString(name + ".valueAsString")
		default:
			b.WriteString(name + ".ref")
		}
	default:
		b.WriteString(scalar(v))
	}
}
