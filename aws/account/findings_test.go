package account

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func zipOf(t *testing.T, name string, entries ...ziptest.Entry) Archive {
	return zipWith(t, name, "", entries...)
}

// zipWith is a zip with a wrapper that somebody starts.
func zipWith(t *testing.T, name, wrapper string, entries ...ziptest.Entry) Archive {
	t.Helper()
	b := ziptest.Bytes(entries...)
	dir, err := zipdir.Read(name, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	readLinks(dir)
	return Archive{State: OK, Unzipped: dir.Unzipped, Dir: dir, heads: readHeads(dir, wrapper)}
}

// healthy is a function without a fault.
func healthy(t *testing.T) *Facts {
	f := &Facts{
		Function:  Function{ARN: "arn:f", Name: "f", PackageType: "Zip", Runtime: "nodejs22.x", Handler: "index.handler"},
		Code:      zipOf(t, "code", ziptest.File("index.js", "x"), ziptest.File("wrap", "#!").Perm(0o755), ziptest.File("plain", "x")),
		TagsState: OK,
	}
	f.add("arn:l1", zipOf(t, "l1",
		ziptest.Dir("extensions"), ziptest.Dir("extensions/lib"), ziptest.File("extensions/lib/helper.txt", "x"),
		ziptest.File("extensions/agent", "#!").Perm(0o755),
		ziptest.Link("extensions/linked", "../bin/tool"), ziptest.File("bin/tool", "#!").Perm(0o755),
		ziptest.File("wrap", "#!").Perm(0o755), ziptest.File("nodejs/node_modules/x.js", "x")))
	return f
}

func (f *Facts) add(arn string, a Archive) {
	f.Layers = append(f.Layers, LayerRef{ARN: arn})
	f.LayerFacts = append(f.LayerFacts, &LayerVersion{ARN: arn, Archive: a})
}

func conclude(f *Facts, now time.Time) {
	a := &Auditor{now: func() time.Time { return now }}
	r := newRun(a)
	r.peek = func(_ context.Context, l *LayerVersion, name string) head {
		e, _ := l.Dir.Lookup(name)
		h, _ := readHead(l.Dir, e)
		return h
	}
	r.conclude(context.Background(), f)
}

func ids(f *Facts) []string {
	out := []string{}
	for _, x := range f.Findings {
		out = append(out, x.ID)
	}
	return out
}

var quiet = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// Every rule is shown to speak in a case of its own and to be silent in all others.
func TestRules(t *testing.T) {
	size := func(total int64) func(*Facts) {
		return func(f *Facts) { f.Code.Unzipped += total - f.Code.Unzipped - f.LayerFacts[0].Unzipped }
	}
	state := func(s State) func(*Facts) {
		return func(f *Facts) { f.add("arn:l2", Archive{State: s, Message: "because"}) }
	}
	layer := func(entries ...ziptest.Entry) func(*Facts) {
		return func(f *Facts) { f.add("arn:l2", zipOf(t, "l2", entries...)) }
	}
	wrapper := func(path string, more ...func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			f.Wrapper, f.EnvNames = path, []string{wrapperVariable}
			for _, m := range more {
				m(f)
			}
		}
	}
	runtime := func(id string) func(*Facts) { return func(f *Facts) { f.Runtime = id } }
	on := func(arch string, change func(*Facts)) func(*Facts) {
		return func(f *Facts) { f.Architecture = arch; change(f) }
	}
	python := func(changes ...func(*Facts)) func(*Facts) {
		return func(f *Facts) {
			f.Runtime = "python3.13"
			for _, c := range changes {
				c(f)
			}
		}
	}
	big := strings.Repeat("0123456789abcdef", manyRepeated/16)
	shown := map[string]bool{}
	for name, c := range map[string]struct {
		change func(*Facts)
		now    time.Time
		want   []string
		text   string // in the message of the first
	}{
		"healthy":            {change: func(*Facts) {}},
		"just below 80 %":    {change: size(UnzippedLimit*8/10 - 1)},
		"80 %":               {change: size(UnzippedLimit * 8 / 10), want: []string{"size-over-80"}, text: "80.0 %"},
		"just below 95 %":    {change: size(UnzippedLimit*95/100 - 1), want: []string{"size-over-80"}},
		"95 %":               {change: size(UnzippedLimit * 95 / 100), want: []string{"size-over-95"}},
		"one byte below":     {change: size(UnzippedLimit - 1), want: []string{"size-over-95"}},
		"at the limit":       {change: size(UnzippedLimit), want: []string{"size-limit"}, text: "262144000"},
		"layer deleted":      {change: state(Deleted), want: []string{"size-unknown", "layer-deleted"}, text: "layer arn:l2 deleted"},
		"layer denied":       {change: state(Denied), want: []string{"size-unknown", "layer-denied"}},
		"layer unreadable":   {change: state(Failed), want: []string{"size-unknown", "layer-unreadable"}},
		"code unreadable":    {change: func(f *Facts) { f.Code = Archive{State: Failed, Message: "torn"} }, want: []string{"size-unknown", "code-unreadable"}, text: "torn"},
		"code denied":        {change: func(f *Facts) { f.Code = Archive{State: Denied} }, want: []string{"size-unknown", "code-denied"}},
		"tags denied":        {change: func(f *Facts) { f.TagsState = Denied }, want: []string{"tags-unknown"}},
		"environment locked": {change: func(f *Facts) { f.EnvError = "KMS" }, want: []string{"environment-unknown"}},
		"an image":           {change: func(f *Facts) { *f = Facts{Function: Function{PackageType: "Image"}, TagsState: OK} }},

		"runtime near its end":  {now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), change: runtime("nodejs22.x"), want: []string{"runtime-ending"}, text: "2027-04-30"},
		"runtime on its day":    {now: time.Date(2027, 4, 30, 0, 0, 0, 0, time.UTC), change: runtime("nodejs22.x"), want: []string{"runtime-deprecated"}},
		"runtime past its end":  {change: runtime("nodejs18.x"), want: []string{"runtime-deprecated"}},
		"runtime without dates": {change: runtime("nodejs26.x")},
		"runtime of tomorrow":   {change: runtime("cobol85")},
		"runtime blocked":       {change: runtime("nodejs10.x"), want: []string{"runtime-blocked", "runtime-deprecated"}},

		"extension without bit":      {change: layer(ziptest.File("extensions/other", "#!").Perm(0o644)), want: []string{"extension-not-executable"}, text: "/opt/extensions/other of arn:l2"},
		"extension link without bit": {change: layer(ziptest.Link("extensions/other", "/opt/lib/other"), ziptest.File("lib/other", "#!")), want: []string{"extension-not-executable"}},
		"extension link to nothing":  {change: layer(ziptest.Link("extensions/other", "/opt/lib/other")), want: []string{"extension-broken-link"}},
		"extension link elsewhere":   {change: layer(ziptest.Link("extensions/other", "/usr/bin/other"))},
		"extension link into another layer": {change: func(f *Facts) {
			layer(ziptest.Link("extensions/other", "/opt/lib/other"))(f)
			f.add("arn:l3", zipOf(t, "l3", ziptest.File("lib/other", "#!").Perm(0o755)))
		}},
		"extension from DOS":     {change: layer(ziptest.File("extensions/other", "#!").DOS()), want: []string{"extension-modes-unknown"}},
		"hidden file":            {change: layer(ziptest.File("extensions/.DS_Store", "x")), want: []string{"stray-in-extensions"}},
		"readme, executable too": {change: layer(ziptest.File("extensions/README.md", "x").Perm(0o755)), want: []string{"stray-in-extensions"}},
		"ten extensions":         {change: layer(many(8)...)},
		"eleven extensions":      {change: layer(many(9)...), want: []string{"extension-too-many"}, text: "11 files"},

		"extension of the architecture":     {change: on("arm64", layer(elfFile("extensions/other", elf.EM_AARCH64)))},
		"extension of another architecture": {change: on("arm64", layer(elfFile("extensions/other", elf.EM_X86_64))), want: []string{"extension-wrong-architecture"}, text: "/opt/extensions/other of arn:l2 is built for x86_64 and the function runs on arm64"},
		"... by a link":                     {change: on("x86_64", layer(ziptest.Link("extensions/other", "../lib/other"), elfFile("lib/other", elf.EM_AARCH64))), want: []string{"extension-wrong-architecture"}, text: "built for arm64"},
		"... of no known function":          {change: on("riscv", layer(elfFile("extensions/other", elf.EM_X86_64)))},
		"... that a later layer replaces": {change: func(f *Facts) {
			on("arm64", layer(elfFile("extensions/other", elf.EM_X86_64)))(f)
			f.add("arn:l3", zipOf(t, "l3", elfFile("extensions/other", elf.EM_AARCH64)))
		}, want: []string{"shadowed-different"}},
		"extension from DOS with its line endings": {change: layer(ziptest.File("extensions/other", "#!/bin/sh\r\nexec x\r\n").Perm(0o755)), want: []string{"extension-line-endings"}, text: "/opt/extensions/other of arn:l2"},
		"extension with Unix line endings":         {change: layer(ziptest.File("extensions/other", "#!/bin/sh\nexec x\r\n").Perm(0o755))},

		"package at two versions": {change: python(
			layer(ziptest.File("python/Py_Dantic-1.10.dist-info/METADATA", "x")),
			func(f *Facts) {
				f.add("arn:l3", zipOf(t, "l3", ziptest.File("python/lib/python3.13/site-packages/py_dantic-2.0.dist-info/METADATA", "y")))
			}), want: []string{"package-versions"}, text: "1 packages lie at different versions in layers or code: python Py_Dantic (1.10 in arn:l2, 2.0 in arn:l3)"},
		"package twice at one version": {change: python(
			layer(ziptest.File("python/a-1.dist-info/METADATA", "x")),
			func(f *Facts) {
				f.add("arn:l3", zipOf(t, "l3", ziptest.File("python/lib/python3.13/site-packages/a-1.dist-info/METADATA", "x")))
			})},
		"jar at two versions": {change: func(f *Facts) {
			f.Runtime = "java21"
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("java/lib/acme-events-1.9.jar", "x")))
			f.Code = zipOf(t, "code", ziptest.File("lib/acme-events-2.0.jar", "y"))
		}, want: []string{"package-versions"}, text: "acme-events (1.9 in arn:l2, 2.0 in code)"},
		"package at two versions in one layer": {change: python(layer(ziptest.File("python/a-1.dist-info/METADATA", "x"), ziptest.File("python/a-2.dist-info/METADATA", "x")))},
		"package at another version in the code": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("nodejs/node_modules/m/package.json", "1")))
			f.Code = zipOf(t, "code", ziptest.File("node_modules/m/package.json", "2"))
		}, want: []string{"package-versions"}, text: "node m (manifests differ in arn:l2, code)"},
		"package the same in the code": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("nodejs/node_modules/m/package.json", "1")))
			f.Code = zipOf(t, "code", ziptest.File("node_modules/m/package.json", "1"))
		}},

		"layer in the code": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("nodejs/node_modules/m/big.node", big)))
			f.Code = zipOf(t, "code", ziptest.File("node_modules/m/big.node", big))
		}, want: []string{"layer-in-code"}, text: `1 files, 1.0 MiB of the code are the same as in arn:l2, such as "node_modules/m/big.node"`},
		"layer in the code, below opt": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("bin/x", big)))
			f.Code = zipOf(t, "code", ziptest.File("opt/bin/x", big))
		}, want: []string{"layer-in-code"}},
		"other bytes in the code": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("bin/x", big)))
			f.Code = zipOf(t, "code", ziptest.File("bin/x", big[1:]+"y"))
		}},
		"the code elsewhere": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("bin/x", big)))
			f.Code = zipOf(t, "code", ziptest.File("lib/x", big))
		}},
		"same bytes in two layers": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("a/x", big)))
			f.add("arn:l3", zipOf(t, "l3", ziptest.File("b/y", big)))
		}, want: []string{"repeated-content"}, text: `1 files, 1.0 MiB come in more than one layer, such as "b/y"`},
		"same bytes in one layer": {change: layer(ziptest.File("a/x", big), ziptest.File("b/y", big))},
		"few bytes in two layers": {change: func(f *Facts) {
			f.add("arn:l2", zipOf(t, "l2", ziptest.File("a/x", big[1:])))
			f.add("arn:l3", zipOf(t, "l3", ziptest.File("b/y", big[1:])))
		}},

		"wrapper in a layer":              {change: wrapper("/opt/wrap")},
		"wrapper in the code":             {change: wrapper("/var/task/wrap")},
		"wrapper of the system":           {change: wrapper("/usr/bin/env")},
		"wrapper missing":                 {change: wrapper("/opt/none"), want: []string{"wrapper-missing"}, text: `"/opt/none"`},
		"wrapper missing in code":         {change: wrapper("/var/task/none"), want: []string{"wrapper-missing"}},
		"wrapper a directory":             {change: wrapper("/opt/bin"), want: []string{"wrapper-missing"}},
		"wrapper perhaps in a lost layer": {change: wrapper("/opt/none", state(Deleted)), want: []string{"size-unknown", "layer-deleted"}},
		"wrapper in unread code":          {change: wrapper("/var/task/none", func(f *Facts) { f.Code = Archive{State: Denied} }), want: []string{"size-unknown", "code-denied"}},
		"wrapper without bit":             {change: wrapper("/opt/nodejs/node_modules/x.js"), want: []string{"wrapper-not-executable"}},
		"wrapper without bit, code":       {change: wrapper("/var/task/plain"), want: []string{"wrapper-not-executable"}},
		"wrapper on an OS":                {change: wrapper("/opt/none", runtime("provided.al2023")), want: []string{"wrapper-ignored"}},

		"wrapper from DOS": {change: wrapper("/opt/dos", layer(ziptest.File("dos", "#!/bin/sh\r\nexec \"$@\"\r\n").Perm(0o755))),
			want: []string{"wrapper-line-endings"}, text: `"/opt/dos" of arn:l2, a script`},
		"wrapper from DOS by a link": {change: wrapper("/opt/dos", layer(ziptest.Link("dos", "bin/dos"), ziptest.File("bin/dos", "#!/bin/sh\r\n").Perm(0o755))),
			want: []string{"wrapper-line-endings"}},
		"... in the code": {change: wrapper("/var/task/dos", func(f *Facts) {
			f.Code = zipWith(t, "code", "dos", ziptest.File("dos", "#!/bin/sh\r\n").Perm(0o755))
		}), want: []string{"wrapper-line-endings"}, text: "of code"},
		"... that nobody starts": {change: layer(ziptest.File("dos", "#!/bin/sh\r\n").Perm(0o755))},
		"... on an OS":           {change: wrapper("/opt/dos", runtime("provided.al2023"), layer(ziptest.File("dos", "#!/bin/sh\r\n").Perm(0o755))), want: []string{"wrapper-ignored"}},
		"... that a later one repairs": {change: wrapper("/opt/dos", layer(ziptest.File("dos", "#!/bin/sh\r\n").Perm(0o755)), func(f *Facts) {
			f.add("arn:l3", zipOf(t, "l3", ziptest.File("dos", "#!/bin/sh\n").Perm(0o755)))
		}), want: []string{"shadowed-different"}},
		"wrapper of another architecture": {change: on("arm64", wrapper("/opt/w", layer(elfFile("w", elf.EM_X86_64)))),
			want: []string{"wrapper-wrong-architecture"}, text: "built for x86_64, and the function runs on arm64"},
		"wrapper of the architecture": {change: on("arm64", wrapper("/opt/w", layer(elfFile("w", elf.EM_AARCH64))))},

		"same file twice": {change: layer(ziptest.File("bin/tool", "#!").Perm(0o755))},
		"file overridden": {change: layer(ziptest.File("bin/tool", "other").Perm(0o755)), want: []string{"shadowed-different"}, text: `1 paths come from more than one layer with different content, such as "/opt/bin/tool"`},
		"modules at root": {change: layer(ziptest.File("node_modules/x.js", "x")), want: []string{"layout"}, text: "node_modules/ at its root"},
		"... with a path": {change: func(f *Facts) { layer(ziptest.File("node_modules/x.js", "x"))(f); f.EnvNames = []string{"NODE_PATH"} }},
		"... for Python":  {change: func(f *Facts) { layer(ziptest.File("node_modules/x.js", "x"))(f); f.Runtime = "python3.13" }},
		"other Node":      {change: layer(ziptest.File("nodejs/node18/node_modules/x.js", "x")), want: []string{"layout"}, text: "nodejs 18"},
		"own Node beside": {change: layer(ziptest.File("nodejs/node18/node_modules/x.js", "x"), ziptest.File("nodejs/node22/node_modules/x.js", "x"))},
		"other Python": {change: func(f *Facts) {
			layer(ziptest.File("python/lib/python3.9/site-packages/x.py", "x"))(f)
			f.Runtime = "python3.13"
		}, want: []string{"layout"}, text: "python 3.9"},
		"own Python": {change: func(f *Facts) {
			layer(ziptest.File("python/lib/python3.13/site-packages/x.py", "x"))(f)
			f.Runtime = "python3.13"
		}},
		"other Ruby":       {change: func(f *Facts) { layer(ziptest.File("ruby/gems/3.2.0/x.rb", "x"))(f); f.Runtime = "ruby3.4" }, want: []string{"layout"}},
		"0600 in a layer":  {change: layer(ziptest.File("secret", "x").Perm(0o600)), want: []string{"unreadable-mode"}, text: `1 files of arn:l2 are not readable by other users, such as "secret"`},
		"0600 in the code": {change: func(f *Facts) { f.Code = zipOf(t, "code", ziptest.File("index.js", "x").Perm(0o600)) }, want: []string{"unreadable-mode"}},
		"closed directory": {change: layer(ziptest.Dir("lib").Perm(0o700)), want: []string{"unreadable-mode"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := healthy(t)
			c.change(f)
			if c.now.IsZero() {
				c.now = quiet
			}
			conclude(f, c.now)
			if got := ids(f); !slices.Equal(got, append([]string{}, c.want...)) {
				t.Fatalf("%v, want %v", got, c.want)
			}
			if c.text != "" && !strings.Contains(f.Findings[0].Message, c.text) {
				t.Errorf("%q lacks %q", f.Findings[0].Message, c.text)
			}
			for _, id := range c.want {
				shown[id] = true
			}
		})
	}
	seen := map[string]bool{}
	for _, r := range Rules() {
		if !shown[r.ID] {
			t.Errorf("no case shows %s", r.ID)
		}
		if seen[r.ID] || r.Remedy == "" || r.Title == "" || !strings.HasPrefix(r.Docs, "https://docs.aws.amazon.com/") ||
			!slices.Contains([]string{Error, Warning, Note}, r.Severity) {
			t.Errorf("%+v", r)
		}
		seen[r.ID] = true
	}
}

// elfFile is an ELF file for a processor, as far as its header goes.
func elfFile(name string, m elf.Machine) ziptest.Entry {
	header := make([]byte, 64)
	copy(header, elf.ELFMAG)
	header[elf.EI_CLASS], header[elf.EI_DATA] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB)
	binary.LittleEndian.PutUint16(header[18:], uint16(m))
	return ziptest.File(name, string(header)).Perm(0o755).Deflated()
}

func many(n int) (out []ziptest.Entry) {
	for i := range n {
		out = append(out, ziptest.File(fmt.Sprintf("extensions/e%d", i), "#!").Perm(0o755))
	}
	return out
}

func TestExtensions(t *testing.T) {
	f := healthy(t)
	f.add("arn:l2", zipOf(t, "l2", ziptest.File("extensions/agent", "#!").Perm(0o644), elfFile("extensions/built", elf.EM_AARCH64)))
	f.Wrapper, f.EnvNames = "/opt/wrap", []string{wrapperVariable, "NODE_OPTIONS", "PATH"}
	conclude(f, quiet)
	want := []Extension{
		{"agent", "external", false, "arn:l2", "script", ""}, // the later layer's copy
		{"built", "external", true, "arn:l2", "elf", "arm64"},
		{"linked", "external", true, "arn:l1", "script", ""},
		{"/opt/wrap", "internal", true, wrapperVariable, "script", ""},
		{"NODE_OPTIONS", "internal", false, "NODE_OPTIONS", "", ""},
	}
	if !slices.Equal(f.Extensions, want) {
		t.Errorf("%+v", f.Extensions)
	}
}

func TestFromConfigurationKeepsNoValue(t *testing.T) {
	f := FromConfiguration(&types.FunctionConfiguration{
		FunctionArn:  aws.String("arn:aws:lambda:eu-west-1:123456789012:function:f:live"),
		FunctionName: aws.String("f"),
		LastModified: aws.String("2026-01-02T03:04:05.678+0000"),
		Environment: &types.EnvironmentResponse{
			Variables: map[string]string{"TOKEN": "s3cret", wrapperVariable: "/opt/w", "A": "s3cret"},
			Error:     &types.EnvironmentError{ErrorCode: aws.String("AccessDenied"), Message: aws.String("kms")},
		},
	})
	if text := fmt.Sprintf("%+v", f); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
	if f.ARN != "arn:aws:lambda:eu-west-1:123456789012:function:f" || f.Region != "eu-west-1" || f.Wrapper != "/opt/w" ||
		!slices.Equal(f.EnvNames, []string{"A", wrapperVariable, "TOKEN"}) || f.EnvError != "kms (AccessDenied)" ||
		f.PackageType != "Zip" || f.Architecture != "x86_64" || f.LastModified.Unix() != 1767323045 {
		t.Errorf("%+v", f)
	}
}
