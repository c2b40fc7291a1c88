package patch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// blockProperties changes a mapping that is written one key a line. Whole lines
// are taken out; the new properties stand where the code stood, or first.
func blockProperties(text string, properties *yaml.Node, kind, image string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	indent := properties.Content[0].Column - 1
	newline := "\n"
	if strings.HasSuffix(lines[0], "\r\n") {
		newline = "\r\n"
	}
	at := properties.Content[0].Line - 1
	gone := map[int]bool{}
	for i := 0; i < len(properties.Content); i += 2 {
		key := properties.Content[i]
		if !slices.Contains(zipProperties, key.Value) {
			continue
		}
		first := key.Line - 1
		if strings.TrimSpace(lines[first][:key.Column-1]) != "" {
			return "", errors.New("two properties of the function stand in one line: change the template by hand")
		}
		end := endOf(lines, first, indent)
		for l := first; l < end; l++ {
			gone[l] = true
		}
		if key.Value == "Code" || key.Value == "CodeUri" || key.Value == "InlineCode" {
			at = first
		}
	}
	pad := strings.Repeat(" ", indent)
	added := pad + "PackageType: Image" + newline
	if kind == serverlessFunction {
		added += pad + "ImageUri: " + quoted(image) + newline
	} else {
		added += pad + "Code:" + newline + pad + "  ImageUri: " + quoted(image) + newline
	}
	var b strings.Builder
	for i, line := range lines {
		if i == at {
			b.WriteString(added)
		}
		if !gone[i] {
			b.WriteString(line)
		}
	}
	return b.String(), nil
}

// endOf is the line after what belongs to the key in line first: deeper lines,
// list items at the key's own depth, and blank lines between those.
func endOf(lines []string, first, indent int) int {
	end := first + 1
	for l := first + 1; l < len(lines); l++ {
		body := strings.TrimLeft(strings.TrimRight(lines[l], "\r\n"), " ")
		depth := len(strings.TrimRight(lines[l], "\r\n")) - len(body)
		switch {
		case strings.TrimSpace(body) == "":
			continue // belongs to whom follows, unless something deeper does
		case depth > indent, depth == indent && (body == "-" || strings.HasPrefix(body, "- ")):
			end = l + 1
		default:
			return end
		}
	}
	return end
}

// quoted writes a text for YAML: a reference holds a colon and an @ only, which
// need no quotes.
func quoted(s string) string {
	if strings.ContainsAny(s, " #'\"{}[]&*!|>%`,") || strings.HasPrefix(s, "@") {
		return strconv.Quote(s)
	}
	return s
}

// flowProperties changes a mapping in braces, as JSON has it.
func flowProperties(text string, properties *yaml.Node, kind, image string) (string, error) {
	n := len(properties.Content) / 2
	starts := make([]int, n+1)
	for i := range n {
		at, err := offset(text, properties.Content[2*i].Line, properties.Content[2*i].Column)
		if err != nil {
			return "", err
		}
		starts[i] = at
	}
	closing, err := closingBrace(text, starts[0])
	if err != nil {
		return "", err
	}
	starts[n] = closing
	separator := ", "
	if n > 1 {
		whole := text[starts[0]:starts[1]]
		separator = "," + whole[len(strings.TrimRight(whole, " \t\r\n")):]
	}
	var kept []string
	placed := false
	add := func() {
		if placed {
			return
		}
		placed = true
		kept = append(kept, `"PackageType": "Image"`)
		if kind == serverlessFunction {
			kept = append(kept, `"ImageUri": `+strconv.Quote(image))
			return
		}
		kept = append(kept, `"Code": {"ImageUri": `+strconv.Quote(image)+`}`)
	}
	for i := range n {
		entry := strings.TrimRight(text[starts[i]:starts[i+1]], " \t\r\n")
		if i < n-1 {
			entry = strings.TrimRight(strings.TrimSuffix(entry, ","), " \t\r\n")
		}
		switch key := properties.Content[2*i].Value; {
		case key == "Code" || key == "CodeUri" || key == "InlineCode":
			add()
		case !slices.Contains(zipProperties, key):
			kept = append(kept, entry)
		}
	}
	add()
	body := text[starts[n-1]:closing]
	tail := body[len(strings.TrimRight(body, " \t\r\n,")):]
	return text[:starts[0]] + strings.Join(kept, separator) + strings.TrimLeft(tail, ",") + text[closing:], nil
}

// offset turns a node's place, counted from 1 in characters, into a byte offset.
func offset(text string, line, column int) (int, error) {
	lines := strings.SplitAfter(text, "\n")
	if line < 1 || line > len(lines) {
		return 0, fmt.Errorf("line %d is not in the template", line)
	}
	at := 0
	for _, l := range lines[:line-1] {
		at += len(l)
	}
	letters := []rune(lines[line-1])
	if column < 1 || column > len(letters) {
		return 0, fmt.Errorf("line %d of the template has no column %d", line, column)
	}
	return at + len(string(letters[:column-1])), nil
}

// closingBrace finds the brace that ends the mapping in which at lies.
func closingBrace(text string, at int) (int, error) {
	depth := 0
	for i := at; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			q := text[i]
			for i++; i < len(text) && text[i] != q; i++ {
				if text[i] == '\\' && q == '"' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i, nil
			}
			depth--
		}
	}
	return 0, errors.New("the properties of the function do not end")
}
