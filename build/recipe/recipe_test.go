package recipe_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/overlay"
	"github.com/optlift/optlift/build/recipe"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// part opens an archive; its name is its path.
func part(t *testing.T, a ziptest.Archive) recipe.Part {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.zip")
	raw := a.Bytes()
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	dir, closer, err := zipdir.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	sum := sha256.Sum256(raw)
	return recipe.Part{Source: layer.Source{Name: file, Dir: dir, SHA256: hex.EncodeToString(sum[:])}, File: file}
}

func zipOf(entries ...ziptest.Entry) ziptest.Archive { return ziptest.Archive{Entries: entries} }

func base(t *testing.T) *image.Base {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte("base"), types.DockerLayer))
	if err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return &image.Base{Reference: "public.ecr.aws/lambda/nodejs:22", Digest: digest, Image: img, Platform: v1.Platform{OS: "linux", Architecture: "amd64"}}
}

func request(t *testing.T, code ziptest.Archive, layers ...ziptest.Archive) recipe.Request {
	r := recipe.Request{
		Runtime: "nodejs22.x", Handler: "index.handler", Architecture: "x86_64", Base: base(t), Repository: "orders", Code: part(t, code),
	}
	for _, l := range layers {
		r.Layers = append(r.Layers, part(t, l))
	}
	return r
}

func files(t *testing.T, r recipe.Request) map[string]string {
	t.Helper()
	list, err := recipe.New(r)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range list {
		out[f.Name] = string(f.Content)
	}
	return out
}

// needs finds the programs that fetch.sh runs.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not here: fetch.sh was not run", p)
		}
	}
}

// copied packs a directory as a builder's COPY would, under root.
func copied(t *testing.T, dir, root string) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		target := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path); err != nil {
				return err
			}
		}
		h, err := tar.FileInfoHeader(info, target)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		h.Name, h.Uid, h.Gid, h.Uname, h.Gname = filepath.ToSlash(filepath.Join(root, rel)), 0, 0, "", ""
		if d.IsDir() {
			h.Name += "/"
		}
		if err := w.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil {
			_, err = w.Write(body)
		}
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return static.NewLayer(b.Bytes(), types.DockerUncompressedLayer)
}

// TestFetchedFilesProveEqual runs the script on archives whose modes, names and
// links are out of the ordinary, and holds what a COPY of the result would make
// against the archives.
func TestFetchedFilesProveEqual(t *testing.T) {
	needs(t, "sh", "unzip", "find")
	one := ziptest.Archive{Prefix: "#!/bin/sh\nexit\n", Entries: []ziptest.Entry{
		ziptest.Dir("extensions").Perm(0o700), ziptest.File("extensions/agent", "#!/bin/sh\n").Perm(0o700),
		ziptest.File("python/deep/er/a file with spaces.py", "x").Perm(0o600), ziptest.File("mode0", "0").Perm(0),
		ziptest.File("setuid", "s").Perm(0o4755), ziptest.File("wide open", "w").Perm(0o666), ziptest.File("readonly", "r").Perm(0o400),
		ziptest.Link("python/link", "deep/er"), ziptest.Link("lib", "/opt/python"), ziptest.Link("dangling", "nowhere"), ziptest.File("same", "one"),
		ziptest.File("empty", ""), ziptest.File("-rf", "an option?").Deflated(), ziptest.File("$(touch oops)'\"`", "quotes").DOS(),
	}}
	two := zipOf(ziptest.File("same", "two").Perm(0o640), ziptest.File("extensions/dos", "d").DOS(), ziptest.File("wrapper", "w").DOS(),
		ziptest.File("END", "e").DOS(), ziptest.File("plain.txt", "p").DOS(), ziptest.File("run.exe", "p").DOS())
	code := zipOf(ziptest.File("index.js", "exports.handler = 1").Perm(0o640), ziptest.File("bootstrap", "b").DOS(), ziptest.File("grüße.txt", "ü").
		Both(func(h *ziptest.Header) { h.Flags |= 1 << 11 }))
	r := request(t, code, one, two)
	r.Wrapper = "/opt/wrapper"
	list, err := recipe.New(r)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a folder", "recipe")
	if err := recipe.Write(t.Context(), dir, list); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again over its own result
		cmd := exec.CommandContext(t.Context(), "./fetch.sh")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("fetch.sh: %v\n%s", err, out)
		}
	}
	img, err := mutate.AppendLayers(empty.Image, copied(t, filepath.Join(dir, "unpacked/layer-1"), "opt"),
		copied(t, filepath.Join(dir, "unpacked/layer-2"), "opt"), copied(t, filepath.Join(dir, "unpacked/code"), "var/task"))
	if err != nil {
		t.Fatal(err)
	}
	proof, err := image.Prove(t.Context(), img, []layer.Source{r.Layers[0].Source, r.Layers[1].Source}, &r.Code.Source)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range proof.Differences {
		t.Errorf("%s: want %s, got %s", d.Path, d.Want, d.Got)
	}
	info, err := os.Stat(filepath.Join(dir, "unpacked/layer-2/wrapper"))
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("wrapper: %v %v", info.Mode(), err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*oops*")); len(found) > 0 {
		t.Error("a file's name was run")
	}
	// Another archive under the same name is not unpacked.
	if err := os.WriteFile(filepath.Join(dir, "zips/code.zip"), zipOf(ziptest.File("x", "x")).Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "./fetch.sh")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "code.zip is not the archive") {
		t.Errorf("a changed archive: %v %s", err, out)
	}
}

func TestDockerfile(t *testing.T) {
	r := request(t, zipOf(ziptest.File("index.js", "x")), zipOf(ziptest.File("a", "a")), zipOf(ziptest.File("b", "b")))
	r.Layers[0].ARN, r.Layers[0].File, r.Layers[0].Source.Name = "arn:aws:lambda:eu-central-1:1:layer:a:1", "", "arn:aws:lambda:eu-central-1:1:layer:a:1"
	r.Layers[1].From = &overlay.Image{Reference: "example.com/b:1", Pinned: "example.com/b@sha256:1234", Copies: []overlay.Copy{{From: "/opt/", To: "/opt/"}}}
	r.Handler, r.Wrapper = `a"b.$c`, "/opt/wrapper"
	r.Function, r.Region, r.Code.ARN, r.Code.File = "orders", "eu-central-1", "arn:aws:lambda:eu-central-1:1:function:orders", ""
	r.EnvNames = []string{"NODE_OPTIONS", "STAGE"}
	got := files(t, r)
	want := `# ./fetch.sh has to run before this is built. The build itself needs no network
# but for the images named here, and no credentials of AWS.

# Layer 1: arn:aws:lambda:eu-central-1:1:layer:a:1
# zip sha256:` + r.Layers[0].Source.SHA256 + `
FROM scratch AS layer-1
COPY unpacked/layer-1/ /opt/

# public.ecr.aws/lambda/nodejs:22, for linux/amd64
FROM public.ecr.aws/lambda/nodejs@` + r.Base.Digest.String() + `
COPY --from=layer-1 /opt/ /opt/
# Layer 2: ` + r.Layers[1].Source.Name + `
# taken from example.com/b:1
COPY --from=example.com/b@sha256:1234 /opt/ /opt/
COPY unpacked/code/ /var/task/
# Lambda sets the function's own environment over this.
ENV AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper
LABEL io.github.optlift.base.layers="1"
LABEL io.github.optlift.runtime="nodejs22.x"
LABEL org.opencontainers.image.base.digest="` + r.Base.Digest.String() + `"
LABEL org.opencontainers.image.base.name="public.ecr.aws/lambda/nodejs:22"
CMD ["a\"b.$c"]
`
	if got["Dockerfile"] != want {
		t.Errorf("Dockerfile:\n%s\nwant:\n%s", got["Dockerfile"], want)
	}
	for name, texts := range map[string][]string{
		"fetch.sh": {"download layer-1 " + r.Layers[0].Source.SHA256 + " get-layer-version-by-arn --region eu-central-1", "get-function --region eu-central-1",
			"layer-2 comes from the image example.com/b:1"},
		"README.md": {"aws ecr create-repository", "get-login-password", `"${uri%%/*}"`, "docker push", "create-function", "--provenance=false", "`STAGE`",
			"environment.json", "`NODE_OPTIONS` starts an internal extension", `optlift prove "$image" orders`, "repository=orders"},
		".dockerignore":          {"*\n!unpacked\n"},
		"repository-policy.json": {`"lambda.amazonaws.com"`, "ecr:BatchGetImage"},
		".gitignore":             {"/environment.json"},
	} {
		for _, text := range texts {
			if !strings.Contains(got[name], text) {
				t.Errorf("%s lacks %q:\n%s", name, text, got[name])
			}
		}
	}
	if strings.Contains(got["fetch.sh"], "unpack layer-2") {
		t.Error("a layer that comes from an image is unpacked")
	}
}

func TestCustomRuntimes(t *testing.T) {
	needs(t, "sh")
	boot := ziptest.File("bootstrap", "#!/bin/sh\n").Perm(0o755)
	for _, c := range []struct {
		name        string
		code, layer ziptest.Archive
		ownBase     bool
		want        string
		problem     string
	}{
		{name: "in the code", code: zipOf(boot), layer: zipOf(boot), want: "/var/task/bootstrap"},
		{name: "in a layer", code: zipOf(ziptest.File("x", "x")), layer: zipOf(boot), want: "/opt/bootstrap"},
		{name: "nowhere", code: zipOf(ziptest.File("x", "x")), layer: zipOf(ziptest.File("x", "x")), problem: "bootstrap"},
		{name: "in a base of one's own", code: zipOf(ziptest.File("x", "x")), layer: zipOf(ziptest.File("x", "x")), ownBase: true},
	} {
		r := request(t, c.code, c.layer)
		r.Runtime, r.Handler, r.OwnBase = "provided.al2023", "", c.ownBase
		list, err := recipe.New(r)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		got := files(t, r)
		if !strings.Contains(got["Dockerfile"], `CMD ["bootstrap"]`) {
			t.Errorf("%s: %s", c.name, got["Dockerfile"])
		}
		if has := strings.Contains(got["Dockerfile"], "COPY unpacked/runtime/ /var/runtime/"); has != (c.want != "") {
			t.Errorf("%s: the link is copied: %v", c.name, has)
		}
		if c.want == "" {
			continue
		}
		needs(t, "unzip")
		dir := filepath.Join(t.TempDir(), "r")
		if err := recipe.Write(t.Context(), dir, list); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "fetch.sh")).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if target, err := os.Readlink(filepath.Join(dir, "unpacked/runtime/bootstrap")); target != c.want || err != nil {
			t.Errorf("%s: %s %v", c.name, target, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*recipe.Request){
		"--base oci":          func(r *recipe.Request) { r.Base.Reference = "oci:base" },
		"handler":             func(r *recipe.Request) { r.Handler = "" },
		"SHA-256":             func(r *recipe.Request) { r.Code.Source.SHA256 = "" },
		"architecture":        func(r *recipe.Request) { r.Architecture = "mips" },
		"no code":             func(r *recipe.Request) { r.Code = recipe.Part{} },
		"where":               func(r *recipe.Request) { r.Code.File = "" },
		"no base":             func(r *recipe.Request) { r.Base = nil },
		"reads as a deletion": func(r *recipe.Request) { r.Code = part(t, zipOf(ziptest.File(".wh.x", "x"))) },
	} {
		r := request(t, zipOf(ziptest.File("x", "x")))
		change(&r)
		if list, err := recipe.New(r); err == nil || list != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	parent := t.TempDir()
	entries := func() []string {
		found, err := os.ReadDir(parent)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range found {
			names = append(names, f.Name())
		}
		return names
	}
	good := []recipe.File{{Name: "a", Content: []byte("a")}, {Name: "b/c.sh", Content: []byte("c"), Exec: true}}
	for name, bad := range map[string]recipe.File{
		"a copy of nothing": {Name: "x", CopyOf: filepath.Join(parent, "missing")},
		"a name outside":    {Name: "../x"},
		"a name twice":      {Name: "a"},
	} {
		if err := recipe.Write(t.Context(), filepath.Join(parent, "r"), append(slices.Clone(good), bad)); err == nil || len(entries()) != 0 {
			t.Errorf("%s: %v, left %v", name, err, entries())
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := recipe.Write(canceled, filepath.Join(parent, "r"), good); err == nil || len(entries()) != 0 {
		t.Errorf("canceled: %v, left %v", err, entries())
	}
	dir := filepath.Join(parent, "r")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := recipe.Write(t.Context(), dir, good); err != nil {
		t.Fatal(err) // an empty directory is fine
	}
	if info, err := os.Stat(filepath.Join(dir, "b/c.sh")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info, err)
	}
	if err := recipe.Write(t.Context(), dir, good); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a full directory: %v", err)
	}
}
