package patch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// zipArguments are those of aws_lambda_function that an image must not have, and
// those that are written anew
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function).
var zipArguments = []string{"handler", "runtime", "layers", "filename", "s3_bucket", "s3_key", "s3_object_version", "s3_object_storage_mode",
	"source_code_hash", "source_kms_key_arn", "code_signing_config_arn", "package_type", "image_uri"}

// Terraform makes a function of a configuration file a container image. It takes
// the aws_lambda_function that resource names, or, where that is "", the only one
// whose function_name is name; nil when the file has none. The Result's Name is the
// resource's address.
func Terraform(file, text, resource, name, image string) (*Result, error) {
	body, err := parseHCL(file, text)
	if err != nil {
		return nil, err
	}
	var found []*hclsyntax.Block
	for _, b := range body.Blocks {
		if b.Type != "resource" || len(b.Labels) != 2 || b.Labels[0] != "aws_lambda_function" {
			continue
		}
		if resource != "" && b.Labels[1] == resource || resource == "" && literal(b.Body, "function_name") == name {
			found = append(found, b)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil
	case len(found) > 1:
		return nil, fmt.Errorf("%s has %d resources for %s: name one with --resource", file, len(found), name)
	}
	b := found[0]
	r := &Result{Name: "aws_lambda_function." + b.Labels[1]}
	var ranges []hcl.Range
	for argument, a := range b.Body.Attributes {
		if slices.Contains(zipArguments, argument) {
			ranges = append(ranges, a.SrcRange)
		}
	}
	for _, inner := range b.Body.Blocks {
		switch {
		case inner.Type == "snap_start":
			ranges = append(ranges, hcl.RangeBetween(inner.TypeRange, inner.CloseBraceRange))
		case inner.Type == "dynamic" && slices.Contains(inner.Labels, "snap_start"):
			r.Notes = append(r.Notes, "a dynamic block makes snap_start, which images do not have: take it out")
		}
	}
	r.Text, err = replaceLines(text, b, ranges, []string{`package_type = "Image"`, "image_uri    = " + strconv.Quote(image)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	// Who keeps to terraform fmt finds it kept.
	if string(hclwrite.Format([]byte(text))) == text {
		r.Text = string(hclwrite.Format([]byte(r.Text)))
	}
	// What was written must be what was meant.
	again, err := parseHCL(file, r.Text)
	if err != nil {
		return nil, fmt.Errorf("the patched file can't be read again, so it is not given out: %w", err)
	}
	for _, x := range again.Blocks {
		if slices.Equal(x.Labels, b.Labels) && x.Type == b.Type &&
			(literal(x.Body, "package_type") != "Image" || literal(x.Body, "image_uri") != image || x.Body.Attributes["handler"] != nil) {
			return nil, fmt.Errorf("%s is laid out in a way that can't be patched safely: change it by hand", file)
		}
	}
	return r, nil
}

func parseHCL(file, text string) (*hclsyntax.Body, error) {
	f, problems := hclsyntax.ParseConfig([]byte(text), file, hcl.InitialPos)
	if problems.HasErrors() {
		return nil, fmt.Errorf("read the configuration: %w", problems)
	}
	body, ok := f.Body.(*hclsyntax.Body)
	if !ok {
		return nil, fmt.Errorf("read the configuration: %s is not in Terraform's own syntax", file)
	}
	return body, nil
}

// replaceLines takes whole lines out of a block and puts others where the first of
// them stood, or first.
func replaceLines(text string, b *hclsyntax.Block, ranges []hcl.Range, added []string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	if b.OpenBraceRange.Start.Line == b.CloseBraceRange.End.Line {
		return "", errors.New("the resource stands in one line: change it by hand")
	}
	newline := "\n"
	if strings.HasSuffix(lines[0], "\r\n") {
		newline = "\r\n"
	}
	gone := map[int]bool{}
	at := b.OpenBraceRange.End.Line + 1
	slices.SortFunc(ranges, func(a, b hcl.Range) int { return a.Start.Byte - b.Start.Byte })
	for i, r := range ranges {
		if i == 0 {
			at = r.Start.Line
		}
		if strings.TrimSpace(lines[r.Start.Line-1][:r.Start.Column-1]) != "" {
			return "", errors.New("two arguments of the resource stand in one line: change it by hand")
		}
		for l := r.Start.Line; l <= r.End.Line; l++ {
			gone[l] = true
		}
	}
	var out strings.Builder
	for i, line := range lines {
		if i+1 == at {
			for _, a := range added {
				out.WriteString("  " + a + newline)
			}
		}
		if !gone[i+1] {
			out.WriteString(line)
		}
	}
	return out.String(), nil
}

// literal is an argument's value where it is a plain text, "" otherwise.
func literal(b *hclsyntax.Body, argument string) string {
	a := b.Attributes[argument]
	if a == nil {
		return ""
	}
	v, problems := a.Expr.Value(nil)
	if problems.HasErrors() || !v.IsKnown() || v.IsNull() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}
