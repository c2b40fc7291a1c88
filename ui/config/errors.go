package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is one thing that is wrong with a file.
type Error struct {
	File    string
	Line    int // from 1; 0 where it is not known
	Message string
	Example string // how the setting is written
}

func (e Error) Error() string {
	out := fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	if e.Example != "" {
		out += ". Write for example: " + e.Example
	}
	return out
}

// Errors are all that is wrong with a file, by line; there is one at least.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}

// settings are what a file can hold: how each is written, and what it takes. A
// setting that ends in a dot takes names of the user's or of another room.
var settings = []struct{ path, example, takes string }{
	{"profile", `profile = "prod"`, "a text in quotes"},
	{"regions", `regions = ["eu-west-1", "us-east-1"]`, "a list of texts"},
	{"theme", `theme = "light"`, "a text in quotes"},
	{"mouse", `mouse = false`, "true or false"},
	{"functions.columns", `columns = ["name", "layers", "percent"]`, "a list of texts"},
	{"functions.sort", `sort = "-percent"`, "a text in quotes"},
	{"functions.widths.", `name = 40`, "a whole number"},
	{"filters.", `big = "size>200MB !type:image"`, "a text in quotes"},
	{"keys.", `migrate = ["ctrl+g"]`, "a list of texts"},
	{"functions", `[functions]`, "a table"},
	{"filters", `[filters]`, "a table"},
	{"keys", `[keys]`, "a table"},
}

func setting(path string) (example, takes string) {
	for _, s := range settings {
		if path == s.path || strings.HasSuffix(s.path, ".") && strings.HasPrefix(path, s.path) {
			return s.example, s.takes
		}
	}
	return "", ""
}

// explain makes Errors of what the decoder refused.
func explain(file string, err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var out Errors
		for _, e := range strict.Errors {
			line, _ := e.Position()
			path := strings.Join(e.Key(), ".")
			out = append(out, Error{file, line, fmt.Sprintf("there is no setting %q, but %s", path, names()), ""})
		}
		return out
	}
	var bad *toml.DecodeError
	if !errors.As(err, &bad) {
		return fmt.Errorf("read the configuration %s: %w", file, err)
	}
	line, _ := bad.Position()
	path := strings.Join(bad.Key(), ".")
	example, takes := setting(path)
	if takes == "" {
		return Errors{{file, line, "this is not TOML: " + strings.TrimPrefix(bad.Error(), "toml: "), `theme = "light"`}}
	}
	return Errors{{file, line, path + " takes " + takes, example}}
}

func names() string {
	var out []string
	for _, s := range settings {
		if !strings.Contains(s.path, ".") {
			out = append(out, s.path)
		}
	}
	return strings.Join(out, ", ") + "; functions has columns, sort, widths"
}

// checker gathers what is wrong with a document that could be decoded.
type checker struct {
	file  string
	lines map[string]int
	errs  Errors
}

func (k *checker) fail(path, message string) {
	example, _ := setting(path)
	k.errs = append(k.errs, Error{k.file, k.lines[path], message, example})
}

func (k *checker) sorted() Errors {
	slices.SortStableFunc(k.errs, func(a, b Error) int { return a.Line - b.Line })
	return k.errs
}

// index finds the line of every setting of a well-formed document.
func index(text []byte) map[string]int {
	out := map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		var path []string
		line := 0
		for it := e.Key(); it.Next(); {
			path = append(path, string(it.Node().Data))
			if line == 0 {
				line = p.Shape(it.Node().Raw).Start.Line
			}
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = path
			out[strings.Join(path, ".")] = line
		case unstable.KeyValue:
			at := strings.Join(append(slices.Clone(table), path...), ".")
			out[at] = line
			inline(out, at, e.Value(), line)
		}
	}
	return out
}

// inline finds the settings of a table that is written as a value, on its line.
func inline(out map[string]int, at string, n *unstable.Node, line int) {
	if n == nil || n.Kind != unstable.InlineTable {
		return
	}
	for it := n.Children(); it.Next(); {
		kv := it.Node()
		path := at
		for key := kv.Key(); key.Next(); {
			path += "." + string(key.Node().Data)
		}
		out[path] = line
		inline(out, path, kv.Value(), line)
	}
}
