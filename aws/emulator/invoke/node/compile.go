package node

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"
	"github.com/evanw/esbuild/pkg/api"
)

// wrapOpen and wrapClose make a function of a CommonJS module as Node.js does, on
// its first line so that line numbers stay.
const (
	wrapOpen  = "(function (exports, require, module, __filename, __dirname) { "
	wrapClose = "\n})"
	// metaURL stands for import.meta.url, which CommonJS has not.
	metaURL = "__importMetaURL"
)

// compile makes a program of a module's source. ES modules, and what is newer
// than the engine, are translated first; their line numbers move.
func compile(file, source string, esm bool) (*goja.Program, error) {
	source = strings.TrimPrefix(source, "\ufeff")
	if strings.HasPrefix(source, "#!") {
		source = "//" + source
	}
	if !esm {
		if program, err := parse(file, wrapOpen+source+wrapClose); err == nil {
			return program, nil
		}
	}
	translated, err := translate(file, source)
	if err != nil {
		return nil, err
	}
	program, err := parse(file, wrapOpen+"const "+metaURL+" = 'file://' + __filename; "+translated+wrapClose)
	if err != nil {
		return nil, &notRunnableError{"the embedded account's JavaScript engine can't run " + file + ": " + err.Error()}
	}
	return program, nil
}

func parse(file, source string) (*goja.Program, error) {
	// Source maps would be looked for on this machine's disk.
	parsed, err := goja.Parse(file, source, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, err
	}
	return goja.CompileAST(parsed, false)
}

// translate makes CommonJS of the engine's age out of a module.
func translate(file, source string) (string, error) {
	result := api.Transform(source, api.TransformOptions{
		Format: api.FormatCommonJS, Target: api.ES2017, Platform: api.PlatformNode, LogLevel: api.LogLevelSilent,
		// The name decides how imports of CommonJS modules are translated: with
		// this one, requires of ES modules say themselves what they mean.
		Sourcefile: "module.js",
		Supported:  map[string]bool{"dynamic-import": false},
		Define:     map[string]string{"import.meta.url": metaURL, "import.meta.dirname": "__dirname", "import.meta.filename": "__filename"},
	})
	if len(result.Errors) == 0 {
		return string(result.Code), nil
	}
	first := result.Errors[0]
	if strings.Contains(first.Text, "Top-level await") {
		return "", &notRunnableError{"the embedded account can't run the top-level await of " + file}
	}
	text := first.Text + " (" + file
	if first.Location != nil {
		text += fmt.Sprintf(":%d:%d", first.Location.Line, first.Location.Column+1)
	}
	return "", &syntaxError{text + ")"}
}
