package node

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/dop251/goja"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// maxModule bounds one source file, in bytes.
const maxModule = 64 << 20

// modules loads CommonJS modules from a function's file system the way Node.js
// does (https://nodejs.org/api/modules.html#all-together).
type modules struct {
	machine *Machine
	tree    *rootfs.Tree
	loaded  map[string]*goja.Object // module objects, by true path
	core    *core
	pkgs    map[string]*manifest // package.json files, by directory; nil where there is none
}

func newModules(m *Machine, tree *rootfs.Tree) *modules {
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
func (ms *modules) require(dir, name string, by style) (goja.Value, error) {
	if exports, ok, err := ms.core.load(name); ok || err != nil {
		return exports, err
	}
	file, err := ms.resolve(dir, name, by)
	if err != nil {
		return nil, err
	}
	exports, err := ms.load(file)
	if err != nil || by == commonJS || ms.isESM(file) {
		return exports, err
	}
	return ms.namespace(exports)
}

// namespace is what an ES module sees of a CommonJS one that was itself translated
// from an ES module: as on Node.js, all of it is the default.
func (ms *modules) namespace(exports goja.Value) (goja.Value, error) {
	o, ok := exports.(*goja.Object)
	if !ok {
		return exports, nil
	}
	if mark := o.Get("__esModule"); mark == nil || !mark.ToBoolean() {
		return exports, nil
	}
	shim := ms.machine.vm.NewObject()
	for _, key := range o.Keys() {
		if err := shim.Set(key, o.Get(key)); err != nil {
			return nil, err
		}
	}
	if err := shim.Set("__esModule", true); err != nil {
		return nil, err
	}
	return shim, shim.Set("default", exports)
}

// isESM tells whether Node.js takes a file for an ES module.
func (ms *modules) isESM(file string) bool {
	switch path.Ext(file) {
	case ".mjs":
		return true
	case ".js":
		_, pkg := ms.scope(path.Dir(file))
		return pkg != nil && pkg.Type == "module"
	}
	return false
}

// load runs a file once and returns what it exports.
func (ms *modules) load(file string) (goja.Value, error) {
	if module := ms.loaded[file]; module != nil {
		return module.Get("exports"), nil
	}
	if path.Ext(file) == ".node" {
		return nil, &notRunnableError{"the embedded account can't run the native module " + file}
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
	esm := ms.isESM(file)
	program, err := compile(file, string(source), esm)
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
	require := ms.requireFunction(file, style(esm))
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

// requireFunction is the require of one module.
func (ms *modules) requireFunction(file string, by style) *goja.Object {
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
		exports, err := ms.require(path.Dir(file), id, by)
		if err != nil {
			panic(ms.raise(err, id, file, by))
		}
		return exports
	}).ToObject(vm)
	resolve := vm.ToValue(func(call goja.FunctionCall) goja.Value {
		id := name(call)
		if ms.core.has(id) {
			return vm.ToValue(id)
		}
		found, err := ms.resolve(path.Dir(file), id, commonJS)
		if err != nil {
			panic(ms.raise(err, id, file, commonJS))
		}
		return vm.ToValue(found)
	})
	// Setting a property of a new object can't fail.
	_ = require.DefineDataProperty("name", vm.ToValue("require"), goja.FLAG_TRUE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = require.Set("resolve", resolve)
	_ = require.Set("cache", vm.NewObject())
	_ = require.Set("extensions", vm.NewObject())
	return require
}

// raise turns a Go error into what the requiring code sees.
func (ms *modules) raise(err error, name, from string, by style) any {
	var exception *goja.Exception
	var stopped *goja.InterruptedError
	switch {
	case errors.As(err, &exception):
		return exception.Value()
	case errors.As(err, &stopped):
		return stopped
	case errors.Is(err, errNotFound):
		return ms.notFound(name, from, by)
	}
	return ms.machine.vm.NewGoError(err)
}

// notFound is Node.js's error for a module that is nowhere.
func (ms *modules) notFound(name, from string, by style) *goja.Object {
	vm := ms.machine.vm
	text, code := fmt.Sprintf("Cannot find module '%s'\nRequire stack:\n- %s", name, from), "MODULE_NOT_FOUND"
	if from != entryModule {
		text += "\n- " + entryModule
	}
	if by == esModule {
		what := "package"
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
			what, name = "module", path.Join(path.Dir(from), name)
		}
		text, code = fmt.Sprintf("Cannot find %s '%s' imported from %s", what, name, from), "ERR_MODULE_NOT_FOUND"
	}
	o, err := vm.New(vm.Get("Error"), vm.ToValue(text))
	if err != nil {
		panic(err)
	}
	_ = o.Set("code", code) // a plain object takes any property
	_ = o.Set("requireStack", []string{from})
	return o
}

// entryModule is what starts a handler on Lambda, as far as its errors tell.
const entryModule = "/var/runtime/index.mjs"

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
	file, err := ms.resolve("/var/task", name, commonJS)
	if errors.Is(err, errNotFound) {
		return nil, ms.exception(ms.notFound(path.Base(name), entryModule, commonJS))
	}
	if err != nil {
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
