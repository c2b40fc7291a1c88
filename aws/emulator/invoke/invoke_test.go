package invoke_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/imagerules"
	"github.com/optlift/optlift/aws/emulator/invoke"
	"github.com/optlift/optlift/aws/emulator/oci/bases"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// files are paths with contents; "->x" is a link to x, and a path that ends in
// "*" is executable.
type files map[string]string

// function is a function in both of its forms.
type function struct {
	runtime string
	handler string
	env     map[string]string
	layers  []files
	code    files
	// arm makes the configuration ask for arm64.
	arm bool
	// change edits the image, which is made from the rest, and the request for it.
	change func(*v1.Config, *wire.Invocation)
}

type lab struct {
	t       *testing.T
	ecr     *ecr.Service
	rules   *imagerules.Rules
	invoker *invoke.Invoker
	count   int
}

func newLab(t *testing.T) *lab {
	t.Helper()
	service, err := ecr.New(ecr.Options{Dir: t.TempDir(), Account: "123456789012", Region: "eu-central-1", Host: func() string { return "localhost:1" }})
	if err != nil {
		t.Fatal(err)
	}
	rules := imagerules.New(service)
	invoker := invoke.New(rules)
	t.Cleanup(func() { _ = invoker.Close(); _ = service.Close() })
	if _, err := service.Call(t.Context(), wire.Call{Account: "123456789012", Region: "eu-central-1", Operation: "CreateRepository"}, []byte(`{"repositoryName":"app"}`)); err != nil {
		t.Fatal(err)
	}
	return &lab{t: t, ecr: service, rules: rules, invoker: invoker}
}

func (l *lab) zip(content files) *wire.Zip {
	l.t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		h := &zip.FileHeader{Name: strings.TrimSuffix(name, "*"), Method: zip.Deflate}
		body := content[name]
		switch {
		case strings.HasPrefix(body, "->"):
			h.SetMode(fs.ModeSymlink | 0o777)
			body = body[2:]
		case strings.HasSuffix(name, "*"):
			h.SetMode(0o755)
		default:
			h.SetMode(0o644)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, err := io.WriteString(f, body); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		l.t.Fatal(err)
	}
	return &wire.Zip{Reader: bytes.NewReader(b.Bytes()), Size: int64(b.Len())}
}

func (l *lab) layer(root string, content files, like v1.Image) mutate.Addendum {
	l.t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	seen := map[string]bool{".": true}
	var dirs func(string)
	dirs = func(dir string) {
		if seen[dir] {
			return
		}
		dirs(path.Dir(dir))
		seen[dir] = true
		if err := w.WriteHeader(&tar.Header{Name: dir + "/", Mode: 0o755, Typeflag: tar.TypeDir}); err != nil {
			l.t.Fatal(err)
		}
	}
	dirs(root)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		body := content[name]
		h := &tar.Header{Name: path.Join(root, strings.TrimSuffix(name, "*")), Mode: 0o644, Typeflag: tar.TypeReg}
		dirs(path.Dir(h.Name))
		switch {
		case strings.HasPrefix(body, "->"):
			h.Typeflag, h.Linkname, body = tar.TypeSymlink, body[2:], ""
		case strings.HasSuffix(name, "*"):
			h.Mode = 0o755
		}
		h.Size = int64(len(body))
		if err := w.WriteHeader(h); err != nil {
			l.t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		l.t.Fatal(err)
	}
	below, err := like.Layers()
	if err != nil {
		l.t.Fatal(err)
	}
	mediaType, _ := below[0].MediaType()
	made, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }, tarball.WithMediaType(mediaType))
	if err != nil {
		l.t.Fatal(err)
	}
	return mutate.Addendum{Layer: made, MediaType: mediaType}
}

func (f function) request(l *lab) wire.Invocation {
	l.count++
	architecture := types.ArchitectureX8664
	if f.arm {
		architecture = types.ArchitectureArm64
	}
	return wire.Invocation{
		Call:        wire.Call{ID: "11111111-2222-3333-4444-555555555555", Account: "123456789012", Region: "eu-central-1"},
		Environment: fmt.Sprint("environment ", l.count),
		ARN:         "arn:aws:lambda:eu-central-1:123456789012:function:demo:live",
		Function: types.FunctionConfiguration{
			FunctionName: aws.String("demo"), Version: aws.String("7"), MemorySize: aws.Int32(256),
			Timeout:       aws.Int32(60), // long enough for any machine: a timeout is a matter of TestTimeouts alone
			Architectures: []types.Architecture{architecture}, Environment: &types.EnvironmentResponse{Variables: f.env},
		},
		Payload: []byte(`{"name":"world"}`),
	}
}

func (f function) asZip(l *lab) wire.Invocation {
	l.t.Helper()
	req := f.request(l)
	req.Function.Runtime, req.Function.Handler = types.Runtime(f.runtime), aws.String(f.handler)
	req.Code = l.zip(f.code)
	for _, c := range f.layers {
		req.Layers = append(req.Layers, *l.zip(c))
	}
	return req
}

func (f function) asImage(l *lab) wire.Invocation {
	l.t.Helper()
	base, ok := bases.For(f.runtime)
	if !ok {
		l.t.Fatal("no base for " + f.runtime)
	}
	img, err := base.Image("x86_64")
	if err != nil {
		l.t.Fatal(err)
	}
	var adds []mutate.Addendum
	for _, c := range f.layers {
		adds = append(adds, l.layer("opt", c, img))
	}
	adds = append(adds, l.layer("var/task", f.code, img))
	if base.Custom() {
		adds = append(adds, l.layer("var/runtime", files{"bootstrap": "->/var/task/bootstrap"}, img))
	}
	if img, err = mutate.Append(img, adds...); err != nil {
		l.t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		l.t.Fatal(err)
	}
	config = config.DeepCopy()
	config.Config.Cmd = []string{f.handler}
	req := f.request(l)
	if f.change != nil {
		f.change(&config.Config, &req)
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		l.t.Fatal(err)
	}
	tag := fmt.Sprint("v", l.count)
	if err := bases.PushImage(l.ecr.Registry(), "app", tag, img); err != nil {
		l.t.Fatal(err)
	}
	resolved, err := l.rules.Resolve(l.t.Context(), req.Call, "localhost:1/app:"+tag, "x86_64")
	if err != nil {
		l.t.Fatal(err)
	}
	if code, reason := l.rules.Check(l.t.Context(), resolved); code != "" {
		l.t.Fatal(code, reason)
	}
	req.Image = &resolved
	return req
}

// both runs a function from its zip and from its image; the results must be the
// same, and are returned once.
func (l *lab) both(f function) wire.InvocationResult {
	l.t.Helper()
	fromZip := l.invoker.Invoke(l.t.Context(), f.asZip(l))
	fromImage := l.invoker.Invoke(l.t.Context(), f.asImage(l))
	if !bytes.Equal(fromZip.Payload, fromImage.Payload) || fromZip.FunctionError != fromImage.FunctionError {
		l.t.Errorf("zip and image differ:\n%s %s\n%s %s", fromZip.FunctionError, fromZip.Payload, fromImage.FunctionError, fromImage.Payload)
	}
	return fromZip
}

const node = "nodejs22.x"

func TestResults(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		handler string
		code    files
		want    string
	}{
		"async":          {"index.handler", files{"index.js": "exports.handler = async (event) => ({hello: event.name});"}, `{"hello":"world"}`},
		"promise":        {"index.handler", files{"index.js": "exports.handler = () => new Promise((done) => setTimeout(done, 5, [1, 2]));"}, `[1,2]`},
		"callback":       {"index.handler", files{"index.js": "exports.handler = (event, context, callback) => { setTimeout(() => callback(null, event.name), 3); };"}, `"world"`},
		"loop drains":    {"index.handler", files{"index.js": "let n = 0; exports.handler = (e, c, callback) => { callback(null, {get n() { return n; }}); setTimeout(() => { n = 1; }, 3); };"}, `{"n":1}`},
		"loop is left":   {"index.handler", files{"index.js": "let n = 0; exports.handler = (e, c, callback) => { c.callbackWaitsForEmptyEventLoop = false; callback(null, {get n() { return n; }}); setTimeout(() => { n = 1; }, 30); };"}, `{"n":0}`},
		"nothing":        {"index.handler", files{"index.js": "exports.handler = () => {};"}, `null`},
		"undefined":      {"index.handler", files{"index.js": "exports.handler = async () => undefined;"}, `null`},
		"nested":         {"src/api/users.routes.list", files{"src/api/users.js": "exports.routes = {list: async () => __filename + __dirname};"}, `"/var/task/src/api/users.js/var/task/src/api"`},
		"relative":       {"index.handler", files{"index.js": "const {add} = require('./lib/math'); exports.handler = async () => add(2, require('./data').three);", "lib/math.js": "exports.add = (a, b) => a + b;", "data.json": `{"three": 3}`}, `5`},
		"directory":      {"index.handler", files{"index.js": "exports.handler = async () => require('./lib') + require('./other/');", "lib/index.js": "module.exports = 'index ';", "other/package.json": `{"main": "main.js"}`, "other/main.js": "module.exports = 'main';"}, `"index main"`},
		"upward":         {"a/b/index.handler", files{"a/b/index.js": "exports.handler = async () => [require('near'), require('far')];", "a/b/node_modules/near/index.js": "module.exports = 'near';", "node_modules/far/index.js": "module.exports = 'far';", "node_modules/near/index.js": "module.exports = 'wrong';"}, `["near","far"]`},
		"scoped exports": {"index.handler", files{"index.js": "exports.handler = async () => [require('@team/pkg'), require('@team/pkg/sub/x')];", "node_modules/@team/pkg/package.json": `{"exports": {".": {"import": "./esm.mjs", "require": "./cjs.cjs"}, "./sub/*": "./deep/*.js"}}`, "node_modules/@team/pkg/cjs.cjs": "module.exports = 'cjs';", "node_modules/@team/pkg/deep/x.js": "module.exports = 'sub';"}, `["cjs","sub"]`},
		"circular":       {"a.handler", files{"a.js": "exports.early = 1; const b = require('./b'); exports.handler = async () => b.seen;", "b.js": "exports.seen = require('./a').early;"}, `1`},
		"symlink":        {"index.handler", files{"index.js": "exports.handler = async () => require('linked');", "node_modules/linked": "->../store/linked", "store/linked/index.js": "module.exports = require('dep') + ' ' + __dirname;", "store/node_modules/dep/index.js": "module.exports = 'dep';"}, `"dep /var/task/store/linked"`},
		"json and utf8":  {"index.handler", files{"index.js": "exports.handler = async () => ({s: 'grün 漢字 \\u2028', n: null, d: new Date(0)});"}, "{\"s\":\"grün 漢字 \u2028\",\"n\":null,\"d\":\"1970-01-01T00:00:00.000Z\"}"},
		"classes":        {"index.handler", files{"index.js": "class A { #x = 1; static make() { return new A(); } get x() { return this.#x ?? 0; } }\nexports.handler = async (e) => ({...e, x: A.make()?.x});"}, `{"name":"world","x":1}`},
		"core modules":   {"index.handler", files{"index.js": coreModules, "data.txt": "hello"}, `{"path":"/a/c","ext":".tar","uuid":36,"buf":[true,"abcd","c3a9","zz",4],"sha":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","b64":"aGk=","event":3,"file":"hello","dir":["data.txt","index.js"],"tmp":"scratch","erofs":"EROFS","enoent":"ENOENT","inspect":"{ a: [ 1, 'x' ], b: Map(1) { 'k' => 1 } }","format":"x 1 {\"a\":1}","url":"/p?q=1","parsed":"example.com","waited":true}`},
		"environment":    {"index.handler", files{"index.js": "exports.handler = async () => [process.env.STAGE, process.env._HANDLER, process.env.AWS_LAMBDA_FUNCTION_NAME, process.env.AWS_EXECUTION_ENV, process.env.LAMBDA_TASK_ROOT, process.env.HOSTNAME === undefined, process.cwd()];"}, `["test","index.handler","demo","AWS_Lambda_nodejs22.x","/var/task",true,"/var/task"]`},
		"context":        {"index.handler", files{"index.js": "exports.handler = async (event, c) => [c.functionName, c.functionVersion, c.invokedFunctionArn, c.memoryLimitInMB, c.awsRequestId, c.getRemainingTimeInMillis() > 1000];"}, `["demo","7","arn:aws:lambda:eu-central-1:123456789012:function:demo:live","256","11111111-2222-3333-4444-555555555555",true]`},
		"absent unused":  {"index.handler", files{"index.js": "const http = require('node:http'); class Agent extends http.Agent {} exports.handler = async () => typeof new Agent().on;"}, `"function"`},
		"es module": {"index.handler", files{
			"index.mjs":    "import fs, { existsSync } from 'node:fs';\nimport { createRequire } from 'module';\nimport add, { version } from './lib/add.mjs';\nimport old from './lib/old.cjs';\nimport pkg from 'dual';\nconst require = createRequire(import.meta.url);\nexport const handler = async () => {\n  const late = await import('./lib/late.mjs');\n  return [fs.existsSync === existsSync, add(1, 2), version, old.default, pkg, late.default, require('./data.json').n, import.meta.url];\n};",
			"lib/add.mjs":  "export const version = 'v1'; export default (a, b) => a + b;",
			"lib/old.cjs":  "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = 'old';",
			"lib/late.mjs": "export default 'late';", "data.json": `{"n": 7}`,
			"node_modules/dual/package.json": `{"exports": {"import": "./esm.mjs", "require": "./cjs.js"}}`, "node_modules/dual/esm.mjs": "export default 'import';", "node_modules/dual/cjs.js": "module.exports = 'require';",
		}, `[true,3,"v1","old","import","late",7,"file:///var/task/index.mjs"]`},
		"type module":     {"index.handler", files{"package.json": `{"type": "module"}`, "index.js": "export async function handler(event) { return event.name; }"}, `"world"`},
		"newer syntax":    {"index.handler", files{"index.js": "async function* numbers() { yield 1; yield 2; }\nexports.handler = async () => { let sum = 0; for await (const n of numbers()) sum += n; return [sum, (await import('./x.js')).default]; };", "x.js": "module.exports = 'x';"}, `[3,"x"]`},
		"cjs":             {"index.handler", files{"index.cjs": "exports.handler = async () => 'cjs';"}, `"cjs"`},
		"module exports":  {"index.handler", files{"index.js": "#!/usr/bin/env node\nmodule.exports = {async handler() { return 'object'; }};"}, `"object"`},
		"package handler": {"agent/wrap.handler", files{"node_modules/agent/wrap.js": "exports.handler = async () => 'agent';"}, `"agent"`},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			got := l.both(function{runtime: node, handler: c.handler, code: c.code, env: map[string]string{"STAGE": "test"}})
			if got.FunctionError != "" || string(got.Payload) != c.want {
				t.Errorf("got %s %s, want %s\n%s", got.FunctionError, got.Payload, c.want, got.Log)
			}
		})
	}
}

const coreModules = `
const path = require('path'), util = require('node:util'), fs = require('fs'), {createHash, randomUUID} = require('crypto');
const EventEmitter = require('events');
exports.handler = async () => {
  const e = new EventEmitter();
  let sum = 0;
  e.on('add', (n) => { sum += n; });
  e.once('add', (n) => { sum += n; });
  e.emit('add', 1); e.emit('add', 1);
  fs.writeFileSync('/tmp/a/b.txt', 'scratch');
  const code = (run) => { try { run(); } catch (error) { return error.code; } };
  return {
    path: path.resolve('/a/b', '../c'), ext: path.extname('/x/y.z.tar'), uuid: randomUUID().length,
    buf: [Buffer.isBuffer(Buffer.from('x')), Buffer.concat([Buffer.from('ab'), Buffer.from('6364', 'hex')]).toString(), Buffer.from('aé').slice(1).toString('hex'), Buffer.alloc(2, 'z').toString('latin1'), Buffer.from('abcabc').lastIndexOf('bc')],
    sha: createHash('sha256').update('abc').digest('hex'), b64: Buffer.from('hi').toString('base64'), event: sum,
    file: fs.readFileSync(path.join(__dirname, 'data.txt'), 'utf8'), dir: fs.readdirSync(__dirname),
    tmp: await fs.promises.readFile('/tmp/a/b.txt', 'utf8'), erofs: code(() => fs.writeFileSync('/var/task/x', '')), enoent: code(() => fs.readFileSync('/nope')),
    inspect: util.inspect({a: [1, 'x'], b: new Map([['k', 1]])}), format: util.format('%s %d %j', 'x', 1, {a: 1}),
    url: require('url').parse('https://example.com/p?q=1').path, parsed: new URL('https://example.com:8080/x').hostname,
    waited: await util.promisify((f) => setImmediate(f, null, true))(),
  };
};
`

func TestErrors(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		handler string
		code    files
		kind    string
		message string
	}{
		"thrown":            {"index.handler", files{"index.js": "class QuotaError extends Error { name = 'QuotaError'; }\nexports.handler = async () => { throw new QuotaError('too much'); };"}, "QuotaError", "too much"},
		"thrown at once":    {"index.handler", files{"index.js": "exports.handler = () => { undefined.x; };"}, "TypeError", "Cannot read property"},
		"callback":          {"index.handler", files{"index.js": "exports.handler = (e, c, callback) => callback(new RangeError('no'));"}, "RangeError", "no"},
		"a string":          {"index.handler", files{"index.js": "exports.handler = async () => { throw 'plain'; };"}, "string", "plain"},
		"uncaught":          {"index.handler", files{"index.js": "exports.handler = () => new Promise(() => setTimeout(() => { throw new Error('later'); }, 1));"}, "Error", "later"},
		"unhandled":         {"index.handler", files{"index.js": "exports.handler = async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 5)); };"}, "Runtime.UnhandledPromiseRejection", "Error: lost"},
		"never settled":     {"index.handler", files{"index.js": "exports.handler = () => new Promise(() => {});"}, "Runtime.NodeJsExit", "never settled"},
		"exit":              {"index.handler", files{"index.js": "exports.handler = async () => process.exit(3);"}, "Runtime.ExitError", "RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: exit status 3"},
		"missing module":    {"index.handler", files{"index.js": "require('left-pad');"}, "Runtime.ImportModuleError", "Error: Cannot find module 'left-pad'\nRequire stack:\n- /var/task/index.js"},
		"missing file":      {"src/index.handler", files{"other.js": ""}, "Runtime.ImportModuleError", "Error: Cannot find module 'index'\nRequire stack:\n- /var/runtime/index.mjs"},
		"missing export":    {"index.handler", files{"index.js": "exports.other = 1;"}, "Runtime.HandlerNotFound", "index.handler is undefined or not exported"},
		"not a function":    {"index.handler", files{"index.js": "exports.handler = 1;"}, "Runtime.HandlerNotFound", "index.handler is not a function"},
		"bad handler":       {"handler", files{"index.js": ""}, "Runtime.MalformedHandlerName", "Bad handler"},
		"syntax":            {"index.handler", files{"index.js": "exports.handler = async ( => {};"}, "Runtime.UserCodeSyntaxError", "SyntaxError: "},
		"syntax in module":  {"index.handler", files{"index.js": "require('./bad');", "bad.js": "}{"}, "Runtime.UserCodeSyntaxError", "/var/task/bad.js"},
		"top-level await":   {"index.handler", files{"index.mjs": "const x = await 1; export const handler = async () => x;"}, "Runtime.NotRunnable", "top-level await of /var/task/index.mjs"},
		"import of a layer": {"index.handler", files{"index.mjs": "import x from 'only-in-node-path'; export const handler = async () => x;", "nodepath/only-in-node-path/index.js": "module.exports = 1;"}, "Runtime.ImportModuleError", "Error: Cannot find package 'only-in-node-path' imported from /var/task/index.mjs"},
		"import by half":    {"index.handler", files{"index.mjs": "import './lib'; export const handler = async () => 1;", "lib.js": ""}, "Runtime.ImportModuleError", "Error: Cannot find module '/var/task/lib' imported from /var/task/index.mjs"},
		"native module":     {"index.handler", files{"index.js": "require('./x.node');", "x.node": ""}, "Runtime.NotRunnable", "native module /var/task/x.node"},
		"network":           {"index.handler", files{"index.js": "exports.handler = async () => require('https').request('https://example.com');"}, "Error", "the embedded account can't run https.request"},
		"too large":         {"index.handler", files{"index.js": "exports.handler = async () => 'x'.repeat(7e6);"}, "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size (6291556 bytes)."},
		"circular response": {"index.handler", files{"index.js": "exports.handler = async () => { const a = {}; a.a = a; return a; };"}, "TypeError", "circular"},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			got := l.both(function{runtime: node, handler: c.handler, code: c.code, env: map[string]string{"NODE_PATH": "/var/task/nodepath"}})
			var e struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(got.Payload, &e); err != nil {
				t.Fatal(err)
			}
			if got.FunctionError != "Unhandled" || e.ErrorType != c.kind || !strings.Contains(e.ErrorMessage, c.message) {
				t.Errorf("got %s %s, want %s %q\n%s", got.FunctionError, got.Payload, c.kind, c.message, got.Log)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	l := newLab(t)
	got := l.both(function{runtime: node, handler: "index.handler", code: files{"index.js": "const inner = () => {\n  throw new Error('deep');\n};\nexports.handler = async () => inner();"}})
	var e struct{ Trace []string }
	if err := json.Unmarshal(got.Payload, &e); err != nil {
		t.Fatal(err)
	}
	if len(e.Trace) < 2 || e.Trace[0] != "Error: deep" || !strings.HasPrefix(e.Trace[1], "    at inner (/var/task/index.js:2:") {
		t.Errorf("trace is %q", e.Trace)
	}
}

func TestTimeouts(t *testing.T) {
	l := newLab(t)
	for name, source := range map[string]string{
		"busy":    "exports.handler = async () => { for (;;); };",
		"waiting": "exports.handler = () => new Promise((r) => setTimeout(r, 1e6));",
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			req := function{runtime: node, handler: "index.handler", code: files{"index.js": source}}.asZip(l)
			req.Function.Timeout = aws.Int32(1)
			got := l.invoker.Invoke(t.Context(), req)
			if want := `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 11111111-2222-3333-4444-555555555555 Error: Task timed out after 1.00 seconds"}`; string(got.Payload) != want || got.FunctionError != "Unhandled" {
				t.Errorf("got %s %s", got.FunctionError, got.Payload)
			}
			if !bytes.Contains(got.Log, []byte("Task timed out after 1.00 seconds\nEND RequestId: ")) || !bytes.Contains(got.Log, []byte("Status: timeout")) {
				t.Errorf("log is %s", got.Log)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := l.invoker.Invoke(ctx, function{runtime: node, handler: "index.handler", code: files{"index.js": "exports.handler = async () => { for (;;); };"}}.asZip(l))
	if !bytes.Contains(got.Payload, []byte("cancelled")) {
		t.Errorf("got %s", got.Payload)
	}
}

func TestLayers(t *testing.T) {
	l := newLab(t)
	got := l.both(function{
		runtime: node, handler: "index.handler",
		layers: []files{
			{"nodejs/node_modules/shared/index.js": "module.exports = 'old';", "nodejs/node_modules/first/index.js": "module.exports = require('shared');"},
			{"nodejs/node_modules/shared/index.js": "module.exports = 'new';", "nodejs/node22/node_modules/versioned/index.js": "module.exports = 'node22';",
				"nodejs/node_modules/versioned/index.js": "module.exports = 'any';", "nodejs/node_modules/own/index.js": "module.exports = 'layer';"},
		},
		code: files{"index.js": "exports.handler = async () => [require('shared'), require('first'), require('versioned'), require('own')];", "node_modules/own/index.js": "module.exports = 'function';"},
	})
	if string(got.Payload) != `["new","new","node22","function"]` {
		t.Errorf("got %s\n%s", got.Payload, got.Log)
	}
}

func TestPreload(t *testing.T) {
	l := newLab(t)
	f := function{
		runtime: node, handler: "index.handler", env: map[string]string{"NODE_OPTIONS": "--enable-source-maps --require /opt/agent/preload"},
		layers: []files{{"agent/preload.js": "globalThis.agent = 'loaded';"}},
		code:   files{"index.js": "exports.handler = async () => globalThis.agent;"},
	}
	if got := l.both(f); string(got.Payload) != `"loaded"` {
		t.Errorf("got %s\n%s", got.Payload, got.Log)
	}
	f.env = map[string]string{"NODE_OPTIONS": "-r /opt/agent/none"}
	if got := l.both(f); !bytes.Contains(got.Payload, []byte(`"Runtime.ExitError"`)) {
		t.Errorf("got %s\n%s", got.Payload, got.Log)
	}
}

func TestLog(t *testing.T) {
	l := newLab(t)
	f := function{runtime: node, handler: "index.handler", code: files{"index.js": "exports.handler = async () => { console.log('hello', {a: 1}); console.error('bad'); process.stdout.write('raw\\n'); };"}}
	req := f.asZip(l)
	lines := strings.Split(strings.TrimSpace(string(l.invoker.Invoke(t.Context(), req).Log)), "\n")
	want := []string{
		"START RequestId: 11111111-2222-3333-4444-555555555555 Version: 7", "\t11111111-2222-3333-4444-555555555555\tINFO\thello { a: 1 }",
		"\t11111111-2222-3333-4444-555555555555\tERROR\tbad", "raw", "END RequestId: 11111111-2222-3333-4444-555555555555",
		"REPORT RequestId: 11111111-2222-3333-4444-555555555555\tDuration: ",
	}
	if len(lines) != len(want) {
		t.Fatalf("log is %q", lines)
	}
	for i, w := range want {
		if !strings.Contains(lines[i], w) {
			t.Errorf("line %q, want %q", lines[i], w)
		}
	}
	if !strings.Contains(lines[5], "\tInit Duration: ") || !strings.Contains(lines[5], "\tMemory Size: 256 MB") {
		t.Errorf("report is %q", lines[5])
	}
	if again := string(l.invoker.Invoke(t.Context(), req).Log); strings.Contains(again, "Init Duration") {
		t.Errorf("a warm start reports %s", again)
	}

	req = f.asZip(l)
	req.Function.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson}
	for _, line := range strings.Split(strings.TrimSpace(string(l.invoker.Invoke(t.Context(), req).Log)), "\n") {
		if line != "raw" && !json.Valid([]byte(line)) {
			t.Errorf("%q is not JSON", line)
		}
	}
	req = function{runtime: node, handler: "index.handler", code: files{"index.js": "exports.handler = async () => { for (let i = 0; i < 3e4; i++) console.log(i, 'x'.repeat(100)); };"}}.asZip(l)
	if got := l.invoker.Invoke(t.Context(), req).Log; len(got) > 1<<20+1000 || !bytes.Contains(got, []byte("\t29999 xxx")) {
		t.Errorf("a flood leaves %d bytes", len(got))
	}
}

func TestWarmEnvironments(t *testing.T) {
	l := newLab(t)
	req := function{runtime: node, handler: "index.handler", code: files{"index.js": "let n = 0; exports.handler = async () => ++n;"}}.asZip(l)
	call := func() string { return string(l.invoker.Invoke(t.Context(), req).Payload) }
	if a, b := call(), call(); a != "1" || b != "2" {
		t.Errorf("got %s and %s", a, b)
	}
	l.invoker.Forget(req.Environment)
	if a := call(); a != "1" {
		t.Errorf("after forgetting: %s", a)
	}
	var wg sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		wg.Go(func() { results[i] = call() })
	}
	wg.Wait()
	for _, r := range results {
		if r == "" || r == "null" {
			t.Errorf("concurrent invocations gave %v", results)
		}
	}
}

func TestExtensions(t *testing.T) {
	l := newLab(t)
	code := files{"index.js": "exports.handler = async () => 'ok';"}
	try := func(layers ...files) wire.InvocationResult {
		t.Helper()
		return l.both(function{runtime: node, handler: "index.handler", code: code, layers: layers})
	}
	if got := try(files{"extensions/agent*": "#!/bin/sh\n", "extensions/agent-files/README": "no extension: in a directory"}); string(got.Payload) != `"ok"` ||
		!bytes.Contains(got.Log, []byte("EXTENSION\tName: agent\tState: Found")) {
		t.Errorf("got %s\n%s", got.Payload, got.Log)
	}
	if got := try(files{"extensions/agent*": "", "extensions/README": "stray"}); !bytes.Contains(got.Payload, []byte(`{"errorType":"Extension.LaunchError","errorMessage":"RequestId: 11111111-2222-3333-4444-555555555555 Error: fork/exec /opt/extensions/README: permission denied"}`)) ||
		!bytes.Contains(got.Log, []byte("EXTENSION\tName: README\tState: LaunchError\tEvents: []\tError Type: PermissionDenied")) {
		t.Errorf("got %s\n%s", got.Payload, got.Log)
	}
	if got := try(files{"extensions/dangling": "->/opt/nowhere"}); !bytes.Contains(got.Payload, []byte("Extension.LaunchError")) {
		t.Errorf("got %s", got.Payload)
	}
	many := files{}
	for i := range 10 {
		many[fmt.Sprintf("extensions/e%d*", i)] = ""
	}
	if got := try(many); string(got.Payload) != `"ok"` {
		t.Errorf("ten: %s", got.Payload)
	}
	if got := try(many, files{"extensions/eleventh*": ""}); !bytes.Contains(got.Payload, []byte("TooManyExtensions")) || got.FunctionError != "Unhandled" {
		t.Errorf("eleven: %s", got.Payload)
	}
	if got := try(many, files{"extensions/eleventh*": "", "disable-extensions-jwigqn8j": ""}); string(got.Payload) != `"ok"` {
		t.Errorf("switched off: %s", got.Payload)
	}
}

func TestWrapper(t *testing.T) {
	l := newLab(t)
	for name, c := range map[string]struct {
		layer files
		want  string
		note  string
	}{
		"missing":        {files{"other": ""}, `"errorMessage":"RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: exit status 127"`, "/opt/wrapper: does not exist"},
		"not executable": {files{"wrapper": "#!/bin/sh\n"}, `"errorMessage":"RequestId: 11111111-2222-3333-4444-555555555555 Error: Runtime exited with error: exit status 126"`, "/opt/wrapper: is not an executable"},
		"fit":            {files{"wrapper*": "#!/bin/sh\n"}, `"ok"`, "the wrapper /opt/wrapper is executable; it is not run here"},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			got := l.both(function{runtime: node, handler: "index.handler", env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"},
				layers: []files{c.layer}, code: files{"index.js": "exports.handler = async () => 'ok';"}})
			if !bytes.Contains(got.Payload, []byte(c.want)) || !bytes.Contains(got.Log, []byte(c.note)) {
				t.Errorf("got %s\n%s", got.Payload, got.Log)
			}
		})
	}
}

func TestOtherRuntimesSaySo(t *testing.T) {
	l := newLab(t)
	for _, runtime := range []string{"python3.13", "java21", "ruby3.4", "dotnet8", "provided.al2023", "provided.al2"} {
		t.Run(runtime, func(t *testing.T) {
			l.t = t
			got := l.both(function{runtime: runtime, handler: "app.handler", code: files{"bootstrap*": "binary", "app.py": ""}})
			if want := `{"errorType":"Runtime.NotRunnable","errorMessage":"the embedded account can't run the runtime ` + runtime + `: it runs JavaScript of the Node.js runtimes only"}`; string(got.Payload) != want {
				t.Errorf("got %s", got.Payload)
			}
		})
	}
}

func TestNode24HasNoCallbacks(t *testing.T) {
	l := newLab(t)
	got := l.both(function{runtime: "nodejs24.x", handler: "index.handler", code: files{"index.js": "exports.handler = (event, context, callback) => callback(null, 1);"}})
	if !bytes.Contains(got.Payload, []byte("Runtime.CallbackHandlerDeprecated")) {
		t.Errorf("got %s", got.Payload)
	}
}

func TestEntrypoints(t *testing.T) {
	l := newLab(t)
	ok := function{runtime: node, handler: "index.handler", code: files{"index.js": "exports.handler = async () => process.env._HANDLER;", "tool*": "", "plain": "", "other.js": "exports.handler = async () => process.cwd();"}}
	for name, c := range map[string]struct {
		arm    bool
		change func(*v1.Config, *wire.Invocation)
		want   string
	}{
		"as built": {false, nil, `"index.handler"`},
		"command override": {false, func(_ *v1.Config, r *wire.Invocation) {
			override(r, types.ImageConfig{Command: []string{"other.handler"}})
		}, `"/var/task"`},
		"none": {false, func(c *v1.Config, _ *wire.Invocation) { c.Entrypoint, c.Cmd = nil, nil }, "Runtime.InvalidEntrypoint"},
		"missing": {false, func(_ *v1.Config, r *wire.Invocation) {
			override(r, types.ImageConfig{EntryPoint: []string{"/usr/bin/none"}})
		}, "fork/exec /usr/bin/none: no such file or directory"},
		"relative":       {false, func(c *v1.Config, _ *wire.Invocation) { c.Entrypoint = []string{"lambda-entrypoint.sh"} }, "must be an absolute path"},
		"not executable": {false, func(c *v1.Config, _ *wire.Invocation) { c.Entrypoint = []string{"/var/task/plain"} }, "fork/exec /var/task/plain: permission denied"},
		"foreign":        {false, func(c *v1.Config, _ *wire.Invocation) { c.Entrypoint = []string{"/var/task/tool"} }, "Runtime.NotRunnable"},
		"no command":     {false, func(c *v1.Config, _ *wire.Invocation) { c.Cmd = nil }, "exit status 142"},
		"two commands":   {false, func(c *v1.Config, _ *wire.Invocation) { c.Cmd = []string{"a.b", "c.d"} }, "exit status 142"},
		"working dir":    {false, func(c *v1.Config, _ *wire.Invocation) { c.WorkingDir = "/none" }, "Runtime.InvalidWorkingDir"},
		"other platform": {true, nil, "fork/exec /lambda-entrypoint.sh: exec format error"},
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			f := ok
			f.change, f.arm = c.change, c.arm
			if got := l.invoker.Invoke(t.Context(), f.asImage(l)); !bytes.Contains(got.Payload, []byte(c.want)) {
				t.Errorf("got %s\n%s", got.Payload, got.Log)
			}
		})
	}
	l.t = t
	bare := function{runtime: "provided.al2023", handler: "x", code: files{"other": ""}}
	if got := l.invoker.Invoke(t.Context(), bare.asImage(l)); !bytes.Contains(got.Payload, []byte("exit status 127")) {
		t.Errorf("no bootstrap in the image: %s", got.Payload)
	}
	if got := l.invoker.Invoke(t.Context(), bare.asZip(l)); !bytes.Contains(got.Payload, []byte("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")) {
		t.Errorf("no bootstrap in the zip: %s", got.Payload)
	}
}

func override(r *wire.Invocation, c types.ImageConfig) {
	r.Function.ImageConfigResponse = &types.ImageConfigResponse{ImageConfig: &c}
}

func TestPayloads(t *testing.T) {
	l := newLab(t)
	req := function{runtime: node, handler: "index.handler", code: files{"index.js": "exports.handler = async (event, c) => [event, c.clientContext];"}}.asZip(l)
	req.Payload, req.ClientContext = nil, []byte(`{"client":{"app":1}}`)
	if got := l.invoker.Invoke(t.Context(), req); string(got.Payload) != `[{},{"client":{"app":1}}]` {
		t.Errorf("got %s", got.Payload)
	}
	req.Payload = []byte("{")
	if got := l.invoker.Invoke(t.Context(), req); got.Err == nil || got.Err.Code != "InvalidRequestContentException" {
		t.Errorf("got %+v", got)
	}
}

func TestTheHostIsOutOfReach(t *testing.T) {
	l := newLab(t)
	t.Setenv("OPTLIFT_TEST_SECRET", "do not leak")
	got := l.both(function{runtime: node, handler: "index.handler", code: files{
		"index.js": "exports.handler = async () => [process.env.OPTLIFT_TEST_SECRET === undefined, require('fs').existsSync('/proc/self/environ'), require('fs').existsSync('/etc/passwd')];\n//# sourceMappingURL=/etc/passwd"}})
	if string(got.Payload) != `[true,false,false]` {
		t.Errorf("got %s", got.Payload)
	}
}
