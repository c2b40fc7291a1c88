package node

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io/fs"
	"path"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja_nodejs/buffer"
	"github.com/dop251/goja_nodejs/require"
	"github.com/dop251/goja_nodejs/url"

	"github.com/optlift/optlift/aws/emulator/rootfs"
)

// library holds the core modules that are written in JavaScript.
//
//go:embed lib/*.js
var library embed.FS

// maxRead and maxTmp bound what fs reads at once and what /tmp holds, in bytes.
const (
	maxRead = 64 << 20
	maxTmp  = 64 << 20
)

// absent are core modules that need a network, processes or threads. Loading one
// works, as many packages load them without need; using one fails.
func absent() []string {
	return []string{
		"child_process", "cluster", "dgram", "diagnostics_channel", "dns", "dns/promises", "http", "http2", "https", "inspector", "net",
		"readline", "repl", "stream", "stream/promises", "stream/web", "string_decoder", "tls", "tty", "v8", "vm", "worker_threads", "zlib",
	}
}

// core loads Node.js's own modules.
type core struct {
	machine *Machine
	tree    *rootfs.Tree
	loaded  map[string]goja.Value
	tmp     map[string][]byte // what the function wrote below /tmp
	tmpSize int
}

func newCore(m *Machine, tree *rootfs.Tree) *core {
	return &core{machine: m, tree: tree, loaded: map[string]goja.Value{}, tmp: map[string][]byte{}}
}

func bare(name string) string { return strings.TrimPrefix(name, "node:") }

// has tells whether a name is one of a core module.
func (c *core) has(name string) bool {
	name = bare(name)
	if name == "_buffer" || name == "_url" {
		return true
	}
	if _, err := fs.Stat(library, file(name)); err == nil {
		return true
	}
	for _, a := range absent() {
		if a == name {
			return true
		}
	}
	return false
}

// list names the core modules.
func (c *core) list() []string {
	names := append(absent(), "buffer")
	entries, err := library.ReadDir("lib")
	if err != nil { // the library is part of the program
		return names
	}
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".js"); !strings.HasPrefix(name, "_") {
			for _, sub := range []string{"promises", "posix", "types"} {
				name = strings.Replace(name, "_"+sub, "/"+sub, 1)
			}
			names = append(names, name)
		}
	}
	return names
}

func file(name string) string { return "lib/" + strings.ReplaceAll(name, "/", "_") + ".js" }

// load returns the exports of a core module; ok is false for any other name.
func (c *core) load(name string) (exports goja.Value, ok bool, err error) {
	if !c.has(name) {
		if strings.HasPrefix(name, "node:") {
			return nil, false, &notRunnableError{"the embedded account has no core module " + name}
		}
		return nil, false, nil
	}
	name = bare(name)
	if known := c.loaded[name]; known != nil {
		return known, true, nil
	}
	vm := c.machine.vm
	if name == "_buffer" || name == "_url" {
		module := vm.NewObject()
		if err := module.Set("exports", vm.NewObject()); err != nil {
			return nil, false, err
		}
		if name == "_buffer" {
			buffer.Require(vm, module)
		} else {
			url.Require(vm, module)
		}
		exports = module.Get("exports")
		c.loaded[name] = exports
		return exports, true, nil
	}
	source, err := library.ReadFile(file(name))
	if err != nil {
		source, err = library.ReadFile("lib/_absent.js")
	}
	if err != nil {
		return nil, false, err
	}
	program, err := compile("node:"+name, string(source), false)
	if err != nil {
		return nil, false, err
	}
	wrapper, err := vm.RunProgram(program)
	if err != nil {
		return nil, false, err
	}
	call, _ := goja.AssertFunction(wrapper)
	module, empty := vm.NewObject(), vm.NewObject()
	if err := module.Set("exports", empty); err != nil {
		return nil, false, err
	}
	c.loaded[name] = empty
	require := vm.ToValue(func(call goja.FunctionCall) goja.Value {
		exports, _, err := c.load(call.Argument(0).String())
		if err != nil {
			panic(c.machine.modules.raise(err, call.Argument(0).String(), "node:"+name, commonJS))
		}
		return exports
	})
	native, err := c.native()
	if err != nil {
		return nil, false, err
	}
	// The last two arguments stand for __filename and __dirname: core modules get
	// what only this program can do, and their own name.
	if _, err := call(empty, empty, require, module, native, vm.ToValue(name)); err != nil {
		return nil, false, err
	}
	exports = module.Get("exports")
	c.loaded[name] = exports
	return exports, true, nil
}

// globals installs what every module sees without asking.
func (m *Machine) globals() error {
	vm := m.vm
	// The library's buffer and url modules ask this for each other.
	require.NewRegistry(require.WithLoader(func(string) ([]byte, error) { return nil, require.ModuleFileDoesNotExistError })).Enable(vm)
	buffer.Enable(vm)
	url.Enable(vm)
	if err := m.loop.install(); err != nil {
		return err
	}
	if err := vm.Set("require", goja.Undefined()); err != nil {
		return err
	}
	if err := vm.Set("global", vm.GlobalObject()); err != nil {
		return err
	}
	value, _, err := m.modules.core.load("_globals")
	if err != nil {
		return err
	}
	driver, ok := goja.AssertFunction(value.ToObject(vm).Get("drive"))
	if !ok {
		return fmt.Errorf("the library has no driver")
	}
	m.driver = driver
	return nil
}

// native is what the JavaScript library can't do by itself.
func (c *core) native() (*goja.Object, error) {
	m := c.machine
	o := m.vm.NewObject()
	bytes := func(b []byte) goja.ArrayBuffer { return m.vm.NewArrayBuffer(b) }
	for name, v := range map[string]any{
		"env": m.config.Env, "cwd": m.config.Dir, "runtime": m.config.Runtime, "arch": m.config.Arch,
		"log": func(level, text string) { m.log.Message(level, text) },
		"write": func(text string) {
			for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
				m.log.Raw(line)
			}
		},
		"exit":  func(code int64) { m.vm.Interrupt(exit{code}) },
		"stat":  c.stat,
		"names": c.names,
		"read": func(name string) goja.Value {
			content, err := c.read(name)
			if err != nil {
				panic(c.errno(err, "open", name))
			}
			return m.vm.ToValue(bytes(content))
		},
		"save":   c.save,
		"remove": c.remove,
		"random": func(n int) goja.ArrayBuffer {
			b := make([]byte, min(max(n, 0), maxRead))
			_, _ = rand.Read(b) // it never fails
			return bytes(b)
		},
		"digest":  c.digest,
		"require": func(file string) *goja.Object { return m.modules.requireFunction(file, commonJS) },
		"modules": c.list(),
	} {
		if err := o.Set(name, v); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// errno is Node.js's error of a system call.
func (c *core) errno(err error, call, name string) *goja.Object {
	code, text := "EIO", "i/o error"
	switch {
	case strings.Contains(err.Error(), fs.ErrNotExist.Error()):
		code, text = "ENOENT", "no such file or directory"
	case strings.Contains(err.Error(), fs.ErrPermission.Error()):
		code, text = "EACCES", "permission denied"
	case strings.Contains(err.Error(), "it is a directory"):
		code, text = "EISDIR", "illegal operation on a directory"
	case strings.Contains(err.Error(), errReadOnly.Error()):
		code, text = "EROFS", "read-only file system"
	case strings.Contains(err.Error(), errNoSpace.Error()):
		code, text = "ENOSPC", "no space left on device"
	}
	vm := c.machine.vm
	o, newErr := vm.New(vm.Get("Error"), vm.ToValue(fmt.Sprintf("%s: %s, %s '%s'", code, text, call, name)))
	if newErr != nil {
		panic(newErr)
	}
	for k, v := range map[string]string{"code": code, "syscall": call, "path": name} {
		_ = o.Set(k, v) // a plain object takes any property
	}
	return o
}

type fsError string

func (e fsError) Error() string { return string(e) }

// What the file system refuses: it is read-only but for /tmp, as Lambda's is.
const (
	errReadOnly = fsError("read-only file system")
	errNoSpace  = fsError("no space left on device")
)

func (c *core) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(c.machine.config.Dir, name)
}

func (c *core) read(name string) ([]byte, error) {
	name = c.absolute(name)
	if content, ok := c.tmp[name]; ok {
		return content, nil
	}
	return c.tree.Read(name, maxRead)
}

// stat describes a path: kind "file", "dir" or "link", or nothing at all.
func (c *core) stat(name string, follow bool) map[string]any {
	name = c.absolute(name)
	if content, ok := c.tmp[name]; ok {
		return map[string]any{"kind": "file", "size": len(content), "mode": 0o644, "real": name}
	}
	for held := range c.tmp {
		if strings.HasPrefix(held, name+"/") {
			return map[string]any{"kind": "dir", "size": 4096, "mode": 0o755, "real": name}
		}
	}
	look := c.tree.Lookup
	if !follow {
		look = c.tree.Lstat
	}
	real, n, err := look(name)
	if err != nil {
		return nil
	}
	kind := map[rootfs.Kind]string{rootfs.Dir: "dir", rootfs.File: "file", rootfs.Link: "link"}[n.Kind]
	return map[string]any{"kind": kind, "size": n.Size, "mode": int(n.Mode), "real": real, "target": n.Target}
}

func (c *core) names(name string) []string {
	name = c.absolute(name)
	names := c.tree.Names(name)
	for held := range c.tmp {
		if rest, ok := strings.CutPrefix(held, strings.TrimSuffix(name, "/")+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			names = append(names, first)
		}
	}
	return names
}

func (c *core) save(name string, content goja.ArrayBuffer) {
	name = c.absolute(name)
	if !strings.HasPrefix(name, "/tmp/") {
		panic(c.errno(errReadOnly, "open", name))
	}
	size := c.tmpSize - len(c.tmp[name]) + len(content.Bytes())
	if size > maxTmp {
		panic(c.errno(errNoSpace, "write", name))
	}
	c.tmpSize = size
	c.tmp[name] = append([]byte{}, content.Bytes()...)
}

func (c *core) remove(name string) {
	name = c.absolute(name)
	content, ok := c.tmp[name]
	if !ok {
		err := error(fs.ErrNotExist)
		if !strings.HasPrefix(name, "/tmp/") {
			err = errReadOnly
		}
		panic(c.errno(err, "unlink", name))
	}
	c.tmpSize -= len(content)
	delete(c.tmp, name)
}

// digest hashes for the crypto module; key is undefined for a plain hash.
func (c *core) digest(algorithm string, key goja.Value, content goja.ArrayBuffer, encoding string) goja.Value {
	vm := c.machine.vm
	var make func() hash.Hash
	switch strings.ToLower(algorithm) {
	case "sha256":
		make = sha256.New
	case "sha1":
		make = sha1.New
	case "md5":
		make = md5.New
	case "sha512":
		make = sha512.New
	case "sha384":
		make = sha512.New384
	default:
		panic(vm.NewTypeError("the embedded account has no hash " + algorithm))
	}
	h := make()
	if secret, ok := key.Export().(goja.ArrayBuffer); ok {
		h = hmac.New(make, secret.Bytes())
	}
	h.Write(content.Bytes())
	sum := h.Sum(nil)
	switch encoding {
	case "hex":
		return vm.ToValue(hex.EncodeToString(sum))
	case "base64":
		return vm.ToValue(base64.StdEncoding.EncodeToString(sum))
	case "base64url":
		return vm.ToValue(base64.RawURLEncoding.EncodeToString(sum))
	}
	return vm.ToValue(vm.NewArrayBuffer(sum))
}
