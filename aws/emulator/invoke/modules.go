package invoke

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// maxModule bounds one source file, in bytes.
const maxModule = 64 << 20

// modules loads CommonJS modules from a function's file system the way Node.js
// does (https://nodejs.org/api/modules.html#all-together).
type modules struct {
	machine *machine
	tree    *rootfs.Tree
	loaded  map[string]*goja.Object // module objects, by true path
	core    *core
	pkgs    map[string]*manifest // package.json files, by directory; nil where there is none
}

func newModules(m *machine, tree *rootfs.Tree) *modules {
	ms := &modules{machine: m, tree: tree, loaded: map[string]*goja.Object{}, pkgs: map[string]*manifest{}}
	ms.core = newCore(m, tree)
	return ms
}

// notRunnableError is for a module that needs what the account does not have.
type notRunnableError struct{ text string }

func (e *notRunnableError) Error() string { return e.text }

// syntaxError is a module that the engine can't parse.
type syntaxError struct{ text string }

func (e *syntaxError) Error() string { return "SyntaxError: " + e.text }

// errNotFound is a module that none of the places holds.
var errNotFound = errors.New("module not found")

// require loads name for a module in dir and returns its exports. The error is a
// *goja.Exception where Node.js throws, so that code can catch it.
func (ms *modules) require(dir, name string) (goja.Value, error) {
	if exports, ok, err := ms.core.load(name); ok || err != nil {
		return exports, err
	}
	file, err := ms.resolve(dir, name)
	if err != nil {
		return nil, err
	}
	return ms.load(file)
}

// resolve finds the file that a module in dir means by name.
func (ms *modules) resolve(dir, name string) (string, error) {
	switch {
	case strings.HasPrefix(name, "/"):
		return ms.fileOrDir(name)
	case name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../"):
		return ms.fileOrDir(path.Join(dir, name) + trailing(name))
	case strings.HasPrefix(name, "#"):
		if root, pkg := ms.scope(dir); pkg != nil {
			if target := matchExports(pkg.Imports, name); target != "" {
				if strings.HasPrefix(target, "./") {
					return ms.fileOrDir(path.Join(root, target))
				}
				return ms.resolve(root, target)
			}
		}
		return "", errNotFound
	}
	// The packages around the module first, NODE_PATH after them.
	var places []string
	for at := dir; ; at = path.Dir(at) {
		if path.Base(at) != "node_modules" {
			places = append(places, path.Join(at, "node_modules"))
		}
		if at == "/" || at == "." {
			break
		}
	}
	for _, p := range strings.Split(ms.machine.launch.env["NODE_PATH"], ":") {
		if p != "" {
			places = append(places, p)
		}
	}
	for _, place := range places {
		file, err := ms.inPackages(place, name)
		if !errors.Is(err, errNotFound) {
			return file, err
		}
	}
	return "", errNotFound
}

// trailing keeps the slash that says "the directory, not the file".
func trailing(name string) string {
	if strings.HasSuffix(name, "/") || name == "." || name == ".." {
		return "/"
	}
	return ""
}

// inPackages looks for name in one directory of packages.
func (ms *modules) inPackages(place, name string) (string, error) {
	parts := strings.SplitN(name, "/", 3)
	pkgName, sub := parts[0], strings.Join(parts[1:], "/")
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		pkgName, sub = parts[0]+"/"+parts[1], strings.Join(parts[2:], "/")
	}
	root := path.Join(place, pkgName)
	if pkg := ms.pkg(root); pkg != nil && len(pkg.Exports) > 0 {
		key := "."
		if sub != "" {
			key = "./" + sub
		}
		if target := matchExports(pkg.Exports, key); target != "" {
			return ms.fileOrDir(path.Join(root, target))
		}
		return "", errNotFound
	}
	return ms.fileOrDir(path.Join(place, name) + trailing(name))
}

// fileOrDir is Node.js's LOAD_AS_FILE and LOAD_AS_DIRECTORY; the answer is a true
// path, links resolved.
func (ms *modules) fileOrDir(name string) (string, error) {
	if !strings.HasSuffix(name, "/") {
		for _, suffix := range []string{"", ".js", ".json", ".node"} {
			if file, ok := ms.file(name + suffix); ok {
				return file, nil
			}
		}
	}
	if pkg := ms.pkg(path.Clean(name)); pkg != nil && pkg.Main != "" {
		main := path.Join(name, pkg.Main)
		for _, suffix := range []string{"", ".js", ".json", ".node", "/index.js", "/index.json"} {
			if file, ok := ms.file(main + suffix); ok {
				return file, nil
			}
		}
	}
	for _, index := range []string{"index.js", "index.json", "index.node"} {
		if file, ok := ms.file(path.Join(name, index)); ok {
			return file, nil
		}
	}
	return "", errNotFound
}

func (ms *modules) file(name string) (string, bool) {
	real, n, err := ms.tree.Lookup(name)
	return real, err == nil && n.Kind == rootfs.File
}

// manifest is what is read of a package.json.
type manifest struct {
	Main    string          `json:"main"`
	Type    string          `json:"type"`
	Exports json.RawMessage `json:"exports"`
	Imports json.RawMessage `json:"imports"`
}

// pkg reads the package.json of a directory; nil where there is none.
func (ms *modules) pkg(dir string) *manifest {
	if known, ok := ms.pkgs[dir]; ok {
		return known
	}
	var found *manifest
	if raw, err := ms.tree.Read(path.Join(dir, "package.json"), 1<<20); err == nil {
		parsed := &manifest{}
		if json.Unmarshal(raw, parsed) == nil || parsed.Main != "" {
			found = parsed
		}
	}
	ms.pkgs[dir] = found
	return found
}

// scope is the nearest package around a directory.
func (ms *modules) scope(dir string) (string, *manifest) {
	for at := dir; ; at = path.Dir(at) {
		if pkg := ms.pkg(at); pkg != nil {
			return at, pkg
		}
		if at == "/" || at == "." || path.Base(at) == "node_modules" {
			return "", nil
		}
	}
}

// matchExports finds the target of a key in "exports" or "imports"
// (https://nodejs.org/api/packages.html#conditional-exports); "" is none.
func matchExports(raw json.RawMessage, key string) string {
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil || !slices.ContainsFunc(keys(raw), func(k string) bool {
		return strings.HasPrefix(k, ".") || strings.HasPrefix(k, "#")
	}) {
		if key == "." {
			return condition(raw, "")
		}
		return ""
	}
	if exact, ok := entries[key]; ok {
		return condition(exact, "")
	}
	best, match := "", ""
	for pattern := range entries {
		before, after, ok := strings.Cut(pattern, "*")
		if !ok || len(pattern) <= len(best) || len(key) < len(before)+len(after) ||
			!strings.HasPrefix(key, before) || !strings.HasSuffix(key, after) {
			continue
		}
		best, match = pattern, key[len(before):len(key)-len(after)]
	}
	if best == "" {
		return ""
	}
	return condition(entries[best], match)
}

// condition picks the target that a require on Node.js gets.
func condition(raw json.RawMessage, match string) string {
	var target string
	if json.Unmarshal(raw, &target) == nil {
		return strings.ReplaceAll(target, "*", match)
	}
	var several []json.RawMessage
	if json.Unmarshal(raw, &several) == nil {
		for _, one := range several {
			if target := condition(one, match); target != "" {
				return target
			}
		}
		return ""
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(raw, &entries) != nil {
		return ""
	}
	// The order in the file decides.
	for _, name := range keys(raw) {
		if slices.Contains([]string{"node", "require", "node-addons", "default"}, name) {
			if target := condition(entries[name], match); target != "" {
				return target
			}
		}
	}
	return ""
}

// keys lists the members of a JSON object in the order they stand there.
func keys(raw json.RawMessage) []string {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var names []string
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return names
		}
		names = append(names, name)
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return names
		}
	}
	return names
}

// load runs a file once and returns what it exports.
func (ms *modules) load(file string) (goja.Value, error) {
	if module := ms.loaded[file]; module != nil {
		return module.Get("exports"), nil
	}
	if path.Ext(file) == ".node" {
		return nil, &notRunnableError{"the embedded account can't run the native module " + file}
	}
	if esm := path.Ext(file) == ".mjs"; esm || path.Ext(file) == ".js" {
		_, pkg := ms.scope(path.Dir(file))
		if esm || pkg != nil && pkg.Type == "module" {
			return nil, &notRunnableError{"the embedded account can't run the ES module " + file + ": it runs CommonJS modules only"}
		}
	}
	source, err := ms.tree.Read(file, maxModule)
	if err != nil {
		return nil, err
	}
	vm := ms.machine.vm
	module := vm.NewObject()
	if path.Ext(file) == ".json" {
		value, err := ms.machine.parse(source)
		if err != nil {
			return nil, err
		}
		ms.loaded[file] = module
		return value, module.Set("exports", value)
	}
	program, err := compile(file, string(source))
	if err != nil {
		return nil, err
	}
	wrapper, err := vm.RunProgram(program)
	if err != nil {
		return nil, err
	}
	call, ok := goja.AssertFunction(wrapper)
	if !ok {
		return nil, fmt.Errorf("%s is no module", file)
	}
	exports := vm.NewObject()
	require := ms.requireFunction(file)
	for name, v := range map[string]any{
		"exports": exports, "id": file, "filename": file, "path": path.Dir(file), "loaded": false,
		"children": []any{}, "paths": []any{}, "require": require,
	} {
		if err := module.Set(name, v); err != nil {
			return nil, err
		}
	}
	ms.loaded[file] = module
	_, err = call(exports, exports, require, module, vm.ToValue(file), vm.ToValue(path.Dir(file)))
	if err != nil {
		delete(ms.loaded, file)
		return nil, err
	}
	return module.Get("exports"), module.Set("loaded", true)
}

// compile wraps a module's source as Node.js does, on its first line so that line
// numbers stay.
func compile(file, source string) (*goja.Program, error) {
	source = strings.TrimPrefix(source, "\ufeff")
	if strings.HasPrefix(source, "#!") {
		source = "//" + source
	}
	wrapped := "(function (exports, require, module, __filename, __dirname) { " + source + "\n})"
	parsed, err := goja.Parse(file, wrapped, parser.WithDisableSourceMaps)
	if err != nil {
		return nil, &syntaxError{err.Error()}
	}
	program, err := goja.CompileAST(parsed, false)
	if err != nil {
		return nil, &syntaxError{err.Error()}
	}
	return program, nil
}

// requireFunction is the require of one module.
func (ms *modules) requireFunction(file string) *goja.Object {
	vm := ms.machine.vm
	name := func(call goja.FunctionCall) string {
		text, ok := call.Argument(0).Export().(string)
		if !ok || text == "" {
			panic(vm.NewTypeError("The \"id\" argument must be a non-empty string."))
		}
		return text
	}
	require := vm.ToValue(func(call goja.FunctionCall) goja.Value {
		id := name(call)
		exports, err := ms.require(path.Dir(file), id)
		if err != nil {
			panic(ms.raise(err, id, file))
		}
		return exports
	}).ToObject(vm)
	resolve := vm.ToValue(func(call goja.FunctionCall) goja.Value {
		id := name(call)
		if ms.core.has(id) {
			return vm.ToValue(id)
		}
		found, err := ms.resolve(path.Dir(file), id)
		if err != nil {
			panic(ms.raise(err, id, file))
		}
		return vm.ToValue(found)
	})
	// Setting a property of a new object can't fail.
	_ = require.Set("resolve", resolve)
	_ = require.Set("cache", vm.NewObject())
	_ = require.Set("extensions", vm.NewObject())
	return require
}

// raise turns a Go error into what the requiring code sees.
func (ms *modules) raise(err error, name, from string) any {
	var exception *goja.Exception
	var stopped *goja.InterruptedError
	switch {
	case errors.As(err, &exception):
		return exception.Value()
	case errors.As(err, &stopped):
		return stopped
	case errors.Is(err, errNotFound):
		return ms.notFound(name, from)
	}
	o := ms.machine.vm.NewGoError(err)
	return o
}

// notFound is Node.js's error for a module that is nowhere.
func (ms *modules) notFound(name, from string) *goja.Object {
	vm := ms.machine.vm
	o, err := vm.New(vm.Get("Error"), vm.ToValue(fmt.Sprintf("Cannot find module '%s'\nRequire stack:\n- %s\n- /var/runtime/index.mjs", name, from)))
	if err != nil {
		panic(err)
	}
	_ = o.Set("code", "MODULE_NOT_FOUND") // a plain object takes any property
	_ = o.Set("requireStack", []string{from, "/var/runtime/index.mjs"})
	return o
}

// handler loads the module of a handler: a file below the task root, or a package
// that Node.js would find from there. An absolute name stays as it is.
func (ms *modules) handler(name string) (goja.Value, error) {
	at := path.Join("/var/task", name)
	if strings.HasPrefix(name, "/") {
		at = path.Clean(name)
	}
	for _, suffix := range []string{"", ".js", ".mjs", ".cjs"} {
		if file, ok := ms.file(at + suffix); ok {
			return ms.load(file)
		}
	}
	file, err := ms.resolve("/var/task", name)
	if err != nil {
		if errors.Is(err, errNotFound) {
			raised := ms.notFound(path.Base(name), "/var/runtime/index.mjs")
			_ = raised.Set("message", fmt.Sprintf("Cannot find module '%s'\nRequire stack:\n- /var/runtime/index.mjs", path.Base(name)))
			return nil, ms.exception(raised)
		}
		return nil, err
	}
	return ms.load(file)
}

// exception makes a thrown error out of a value.
func (ms *modules) exception(v goja.Value) error {
	throw, err := ms.machine.vm.RunString("(function (e) { throw e; })")
	if err != nil {
		return err
	}
	call, _ := goja.AssertFunction(throw)
	_, err = call(goja.Undefined(), v)
	return err
}
