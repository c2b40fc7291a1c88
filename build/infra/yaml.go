package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CloudFormation writes f as a CloudFormation template in YAML.
func CloudFormation(f *Function) string {
	return yamlHead(f) + "AWSTemplateFormatVersion: \"2010-09-09\"\n" + newTemplate(f, cfnFunction(f)).yaml()
}

// SAM writes f as a template of the Serverless Application Model.
func SAM(f *Function) string {
	return yamlHead(f) + "AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\n" + newTemplate(f, samFunction(f)).yaml()
}

func yamlHead(f *Function) string {
	return f.notes("# ") + "# Deploy it without an image first, push to the repository, then deploy it with " + image + "=URI@sha256:…\n"
}

func (t *template) yaml() string {
	var parameters, resources props
	for _, p := range t.parameters {
		about := props{{"Type", "String"}, {"Description", p.about}}
		if p.secret {
			about.add("NoEcho", true)
		}
		if p.value != nil {
			about.add("Default", *p.value)
		}
		parameters.add(p.name, about)
	}
	for _, r := range t.resources {
		body := props{{"Type", r.kind}}
		if r.conditional {
			body.add("Condition", "HasImage")
		}
		if r.keep {
			body.add("DeletionPolicy", "Retain")
			body.add("UpdateReplacePolicy", "Retain")
		}
		var own props
		for _, p := range r.props {
			if p.name == dependsOn {
				body = append(body, p)
			} else {
				own = append(own, p)
			}
		}
		body.add("Properties", own)
		resources.add(r.name, body)
	}
	doc := props{
		{"Parameters", parameters},
		{"Conditions", props{{"HasImage", props{{"Fn::Not", []any{props{{"Fn::Equals", []any{ref{name: image}, ""}}}}}}}}},
		{"Resources", resources},
	}
	var b strings.Builder
	writeYAML(&b, doc, "", "\n")
	return strings.TrimPrefix(b.String(), "\n") + "\n"
}

// writeYAML writes a value behind a key (first is a line's end) or a dash (a
// space). Scalars are JSON, which YAML
// takes (https://yaml.org/spec/1.2.2/#12-relation-to-yaml-11-and-json).
func writeYAML(b *strings.Builder, v any, indent, first string) {
	switch v := v.(type) {
	case props:
		for i, p := range v {
			if i == 0 && first == " " {
				b.WriteString(" ")
			} else {
				b.WriteString("\n" + indent)
			}
			b.WriteString(yamlKey(p.name) + ":")
			writeYAML(b, p.value, indent+"  ", "\n")
		}
	case data:
		var p props
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p.add(k, v[k])
		}
		writeYAML(b, p, indent, first)
	case []any:
		if len(v) == 0 {
			b.WriteString(" []")
		}
		for _, e := range v {
			b.WriteString("\n" + indent + "-")
			writeYAML(b, e, indent+"  ", " ")
		}
	case ref:
		if v.attribute == "" {
			fmt.Fprintf(b, " !Ref %s", v.name)
		} else {
			fmt.Fprintf(b, " !GetAtt %s.%s", v.name, v.attribute)
		}
	default:
		b.WriteString(" " + scalar(v))
	}
}

func yamlKey(k string) string {
	for _, c := range k {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != ':' {
			return scalar(k)
		}
	}
	return k
}

// scalar is a value in JSON, which TypeScript and YAML both take.
func scalar(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}
