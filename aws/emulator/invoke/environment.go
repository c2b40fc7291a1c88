package invoke

import (
	"context"
	"maps"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/emulator/invoke/node"
	"github.com/optlift/optlift/aws/emulator/rootfs"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// environment is one execution environment with its code loaded.
type environment struct {
	key     string
	born    uint64 // the invoker's clock when it was made
	tree    *rootfs.Tree
	machine *node.Machine
}

func (e *environment) close() {
	// The tree only holds a temporary file, which goes with its directory if it
	// can't be removed.
	_ = e.tree.Close()
}

// prepare does what Lambda does before the first invocation. The environment is
// nil exactly when there is a failure.
func (i *Invoker) prepare(ctx context.Context, req wire.Invocation, log *logger) (*environment, *node.Failure) {
	var start *launch
	var tree *rootfs.Tree
	var fail *node.Failure
	if req.Image != nil {
		var config *v1.ConfigFile
		var err error
		if tree, config, err = i.images.Open(ctx, *req.Image); err != nil {
			return nil, node.Lambda("Runtime.Unknown", "%s", err)
		}
		start, fail = imageLaunch(req, tree, config)
	} else {
		var err error
		if tree, err = zipTree(req); err != nil {
			return nil, node.Lambda("Runtime.Unknown", "%s", err)
		}
		start = zipLaunch(req)
	}
	env := &environment{key: req.Environment, tree: tree}
	if fail == nil {
		fail = checkExtensions(tree, log)
	}
	if fail == nil {
		fail = start.check(tree, log)
	}
	if fail == nil {
		env.machine, fail = node.Start(ctx, start.config(tree), log)
	}
	if fail != nil {
		env.close()
		return nil, fail
	}
	return env, nil
}

func zipTree(req wire.Invocation) (*rootfs.Tree, error) {
	var archives []rootfs.Archive
	for _, l := range req.Layers {
		archives = append(archives, rootfs.Archive{Root: "/opt", Reader: l.Reader, Size: l.Size})
	}
	if req.Code != nil {
		archives = append(archives, rootfs.Archive{Root: "/var/task", Reader: req.Code.Reader, Size: req.Code.Size})
	}
	return rootfs.FromZips(archives...)
}

// launch is how a function's process is started.
type launch struct {
	runtime string // Lambda's identifier, "nodejs22.x"
	handler string
	dir     string // working directory
	arch    string // Node.js's name of it, "x64" or "arm64"
	env     map[string]string
	// custom is set when the runtime comes with the function.
	custom bool
}

// config is the launch of a JavaScript function.
func (l *launch) config(tree *rootfs.Tree) node.Config {
	return node.Config{Runtime: l.runtime, Handler: l.handler, Dir: l.dir, Arch: l.arch, Env: l.env, Tree: tree}
}

// zipLaunch is the environment of a managed runtime
// (recorded for every runtime in localstack's test_introspection_invoke).
func zipLaunch(req wire.Invocation) *launch {
	l := &launch{runtime: string(req.Function.Runtime), handler: aws.ToString(req.Function.Handler), dir: "/var/task"}
	l.custom = strings.HasPrefix(l.runtime, "provided") || l.runtime == "go1.x"
	l.env = map[string]string{
		"LANG": "en_US.UTF-8", "TZ": ":UTC",
		"PATH":             "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH":  "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
	}
	l.merge(req)
	l.language()
	return l
}

// merge adds the function's own variables, and those nobody can set
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
func (l *launch) merge(req wire.Invocation) {
	f := req.Function
	if l.arch = "x64"; platform(f.Architectures) == "arm64" {
		l.arch = "arm64"
	}
	if f.Environment != nil {
		maps.Copy(l.env, f.Environment.Variables)
	}
	name := aws.ToString(f.FunctionName)
	group := "/aws/lambda/" + name
	if f.LoggingConfig != nil && aws.ToString(f.LoggingConfig.LogGroup) != "" {
		group = *f.LoggingConfig.LogGroup
	}
	maps.Copy(l.env, map[string]string{
		"_HANDLER": l.handler, "AWS_REGION": req.Call.Region, "AWS_DEFAULT_REGION": req.Call.Region,
		"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": aws.ToString(f.Version),
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(int(aws.ToInt32(f.MemorySize))),
		"AWS_LAMBDA_LOG_GROUP_NAME":       group, "AWS_LAMBDA_LOG_STREAM_NAME": "embedded-account",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
	})
}

// language adds what the runtime's own bootstrap exports.
func (l *launch) language() {
	if l.custom || l.runtime == "" {
		return
	}
	l.env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + l.runtime
	if major, ok := node.Major(l.runtime); ok && l.env["NODE_PATH"] == "" {
		l.env["NODE_PATH"] = "/opt/nodejs/node" + strconv.Itoa(major) +
			"/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task"
	}
}

const (
	baseEntrypoint = "/lambda-entrypoint.sh"
	bootstrap      = "/var/runtime/bootstrap"
	maxScript      = 1 << 20
)

// executionEnv finds the runtime that a bootstrap of AWS's belongs to.
var executionEnv = regexp.MustCompile(`AWS_EXECUTION_ENV=["']?AWS_Lambda_([a-z0-9.]+)`)

// imageLaunch reads an image's configuration, with the function's overrides, the
// way Lambda starts it.
func imageLaunch(req wire.Invocation, tree *rootfs.Tree, config *v1.ConfigFile) (*launch, *node.Failure) {
	entrypoint, cmd, dir := config.Config.Entrypoint, config.Config.Cmd, config.Config.WorkingDir
	if r := req.Function.ImageConfigResponse; r != nil && r.ImageConfig != nil {
		if len(r.ImageConfig.EntryPoint) > 0 {
			entrypoint = r.ImageConfig.EntryPoint
		}
		if len(r.ImageConfig.Command) > 0 {
			cmd = r.ImageConfig.Command
		}
		if d := aws.ToString(r.ImageConfig.WorkingDirectory); d != "" {
			dir = d
		}
	}
	command := append(append([]string{}, entrypoint...), cmd...)
	if len(command) == 0 || command[0] == "" {
		return nil, node.Lambda("Runtime.InvalidEntrypoint", "the image has neither an entry point nor a command")
	}
	if dir == "" {
		dir = "/"
	}
	if !path.IsAbs(dir) {
		return nil, node.Lambda("Runtime.InvalidWorkingDir", "the working directory '%s' is invalid, it needs to be an absolute path", dir)
	}
	if _, n, err := tree.Lookup(dir); err != nil || n.Kind != rootfs.Dir {
		return nil, node.Lambda("Runtime.InvalidWorkingDir", "the working directory doesn't exist")
	}
	program := command[0]
	if fail := executable(tree, program, "Runtime.InvalidEntrypoint"); fail != nil {
		return nil, fail
	}
	if arch := config.Architecture; arch != "" && arch != platform(req.Function.Architectures) {
		return nil, node.Lambda("Runtime.InvalidEntrypoint", "fork/exec %s: exec format error", program)
	}
	if program != baseEntrypoint {
		return nil, node.NotRunnable("the embedded account can't run the entry point %s: it runs JavaScript on AWS's base images only", program)
	}
	if len(command) != 2 {
		fail := node.Lambda("Runtime.ExitError", "Runtime exited with error: exit status 142")
		fail.Note = "entrypoint requires the handler name to be the first argument"
		return nil, fail
	}
	l := &launch{handler: command[1], dir: dir, env: map[string]string{}}
	for _, kv := range config.Config.Env {
		k, v, _ := strings.Cut(kv, "=")
		l.env[k] = v
	}
	l.merge(req)
	if _, n, err := tree.Lookup(bootstrap); err != nil || n.Kind != rootfs.File {
		fail := node.Lambda("Runtime.ExitError", "Runtime exited with error: exit status 127")
		fail.Note = "/lambda-entrypoint.sh: " + bootstrap + ": No such file or directory"
		return nil, fail
	} else if !n.Executable() {
		fail := node.Lambda("Runtime.ExitError", "Runtime exited with error: exit status 126")
		fail.Note = "/lambda-entrypoint.sh: " + bootstrap + ": Permission denied"
		return nil, fail
	}
	l.custom = true
	if script, err := tree.Read(bootstrap, maxScript); err == nil {
		if m := executionEnv.FindSubmatch(script); m != nil {
			l.runtime, l.custom = string(m[1]), false
		}
	}
	if l.custom {
		l.runtime = osOnly(tree)
	}
	l.language()
	return l, nil
}

// osOnly names the OS-only runtime of an image by its operating system.
func osOnly(tree *rootfs.Tree) string {
	release, err := tree.Read("/etc/os-release", maxScript)
	if err != nil {
		return "provided"
	}
	for id, runtime := range map[string]string{"2023": "provided.al2023", "2": "provided.al2"} {
		if strings.Contains(string(release), "VERSION_ID=\""+id+"\"\n") {
			return runtime
		}
	}
	return "provided"
}

func platform(architectures []types.Architecture) string {
	if len(architectures) > 0 && architectures[0] == types.ArchitectureArm64 {
		return "arm64"
	}
	return "amd64"
}

// executable tells why the kernel would not start a program.
func executable(tree *rootfs.Tree, program, kind string) *node.Failure {
	if !path.IsAbs(program) {
		return node.Lambda(kind, "exec: \"%s\": the entry point must be an absolute path", program)
	}
	_, n, err := tree.Lookup(program)
	if err != nil {
		return node.Lambda(kind, "fork/exec %s: no such file or directory", program)
	}
	if !n.Executable() {
		return node.Lambda(kind, "fork/exec %s: permission denied", program)
	}
	return nil
}

// check applies the rules of the runtime's bootstrap and says what can't be run.
func (l *launch) check(tree *rootfs.Tree, log *logger) *node.Failure {
	_, javascript := node.Major(l.runtime)
	if wrapper := l.env["AWS_LAMBDA_EXEC_WRAPPER"]; wrapper != "" && !l.custom {
		// Wrapper scripts are not supported on OS-only runtimes
		// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
		_, n, err := tree.Lookup(wrapper)
		switch {
		case err != nil || n.Kind != rootfs.File:
			fail := node.Lambda("Runtime.ExitError", "Runtime exited with error: exit status 127")
			fail.Note = wrapper + ": does not exist"
			return fail
		case !n.Executable():
			fail := node.Lambda("Runtime.ExitError", "Runtime exited with error: exit status 126")
			fail.Note = wrapper + ": is not an executable"
			return fail
		}
		if javascript {
			log.Raw("EMBEDDED ACCOUNT the wrapper " + wrapper + " is executable; it is not run here")
		}
	}
	if l.custom {
		return l.checkCustom(tree)
	}
	if !javascript {
		return node.NotRunnable("the embedded account can't run the runtime %s: it runs JavaScript of the Node.js runtimes only", l.runtime)
	}
	return nil
}

// checkCustom looks for the program of an OS-only runtime.
func (l *launch) checkCustom(tree *rootfs.Tree) *node.Failure {
	// The order of github.com/aws/aws-lambda-runtime-interface-emulator,
	// internal/lambda/rie/run.go.
	for _, program := range []string{"/var/task/bootstrap", "/opt/bootstrap", bootstrap} {
		if _, n, err := tree.Lookup(program); err == nil && n.Kind == rootfs.File {
			if !n.Executable() {
				return node.Lambda("Runtime.InvalidEntrypoint", "fork/exec %s: permission denied", program)
			}
			return node.NotRunnable("the embedded account can't run the runtime %s: it runs JavaScript of the Node.js runtimes only", l.runtime)
		}
	}
	// The text of github.com/gkrizek/bash-lambda-layer#3.
	return node.Lambda("Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]")
}
