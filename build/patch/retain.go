package patch

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// retain gives a resource the attribute DeletionPolicy: Retain, unless it has one
// that keeps the resource. Without it a resource can't be imported
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html)
// and does not outlive being taken out of its stack.
func retain(text, logical string) (string, error) {
	resource, err := resourceOf(text, logical)
	if err != nil {
		return "", err
	}
	policy := value(resource, "DeletionPolicy")
	switch scalar(policy) {
	case "Retain", "RetainExceptOnCreate":
		return text, nil
	}
	var out string
	if policy != nil {
		out, err = replaceScalar(text, policy, "Retain")
	} else {
		out, err = addRetain(text, resource)
	}
	if err != nil {
		return "", err
	}
	if again, err := resourceOf(out, logical); err != nil || scalar(value(again, "DeletionPolicy")) != "Retain" || len(again.Content) < len(resource.Content) {
		return "", errors.New("the template is laid out in a way to which no DeletionPolicy can be added safely: change it by hand")
	}
	return out, nil
}

func resourceOf(text, logical string) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("read the template: it is empty")
	}
	resource := value(value(doc.Content[0], "Resources"), logical)
	if resource == nil || len(resource.Content) == 0 {
		return nil, fmt.Errorf("the template has no resource %s: is it the template of this function's stack?", logical)
	}
	return resource, nil
}

// addRetain puts the attribute before a resource's first key.
func addRetain(text string, resource *yaml.Node) (string, error) {
	first := resource.Content[0]
	at, err := offset(text, first.Line, first.Column)
	if err != nil {
		return "", err
	}
	before := text[:at]
	gap := before[len(strings.TrimRight(before, " \t\r\n")):]
	if resource.Style&yaml.FlowStyle != 0 {
		if !strings.Contains(gap, "\n") {
			gap = " "
		}
		return before + `"DeletionPolicy": "Retain",` + gap + text[at:], nil
	}
	newline := "\n"
	if strings.Contains(gap, "\r\n") {
		newline = "\r\n"
	}
	return before + "DeletionPolicy: Retain" + newline + strings.Repeat(" ", first.Column-1) + text[at:], nil
}

// replaceScalar writes another text where a scalar stands.
func replaceScalar(text string, n *yaml.Node, with string) (string, error) {
	at, err := offset(text, n.Line, n.Column)
	if err != nil {
		return "", err
	}
	quote := ""
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		quote = `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		quote = "'"
	}
	was := quote + n.Value + quote
	if n.Kind != yaml.ScalarNode || !strings.HasPrefix(text[at:], was) {
		return "", errors.New("the function's DeletionPolicy is written in a way that can't be changed safely: change it by hand")
	}
	return text[:at] + quote + with + quote + text[at+len(was):], nil
}
