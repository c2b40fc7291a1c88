package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

var families = map[string]family{"docker": dockerFamily, "oci": ociFamily}

func TestBuildKeepsTheBaseAndItsFamily(t *testing.T) {
	for name, kin := range families {
		t.Run(name, func(t *testing.T) {
			req := request(t, kin)
			req.Labels = map[string]string{LabelFunction: "arn:aws:lambda:eu-west-1:123456789012:function:f"}
			built := mustBuild(t, req)
			base := awsBase(t, kin, "amd64")
			baseManifest, _ := base.Manifest()
			manifest, err := built.Image.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if got := manifest.MediaType; got != kin.manifest {
				t.Errorf("manifest type %q, want %q", got, kin.manifest)
			}
			if got := manifest.Config.MediaType; got != kin.config {
				t.Errorf("configuration type %q, want %q", got, kin.config)
			}
			if len(manifest.Layers) != 2+3 {
				t.Fatalf("%d layers, want the base's 2 and one for each of 3 archives", len(manifest.Layers))
			}
			if diff := cmp.Diff(baseManifest.Layers, manifest.Layers[:2]); diff != "" {
				t.Errorf("the base's layers were touched:\n%s", diff)
			}
			for i, d := range manifest.Layers[2:] {
				if d.MediaType != kin.layer {
					t.Errorf("layer %d has type %q, want %q", i, d.MediaType, kin.layer)
				}
				if d.Digest != built.Layers[i].Result.Digest {
					t.Errorf("layer %d is %s, want that of %s", i, d.Digest, built.Layers[i].Source.Name)
				}
			}
			config, err := built.Image.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			want := awsConfig("amd64")
			want.Config.Cmd = []string{"index.handler"}
			want.Config.Labels = map[string]string{
				"maker":         "base",
				LabelBaseName:   req.BaseRegistry + "/nodejs:22",
				LabelBaseDigest: digest(t, base),
				LabelBaseLayers: "2",
				LabelRuntime:    "nodejs22.x",
				LabelCodeSHA256: req.Code.SHA256,
				LabelFunction:   "arn:aws:lambda:eu-west-1:123456789012:function:f",
			}
			if diff := cmp.Diff(want.Config, config.Config); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			delete(want.Config.Labels, "maker")
			annotations := want.Config.Labels
			if kin == dockerFamily {
				annotations = nil
			}
			if diff := cmp.Diff(annotations, manifest.Annotations); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			if got, want := len(config.History), 4+3; got != want {
				t.Fatalf("%d entries in the history, want %d", got, want)
			}
			for i, src := range []layer.Source{req.Layers[0], req.Layers[1], req.Code} {
				if h := config.History[4+i]; !strings.Contains(h.CreatedBy, src.SHA256) || h.EmptyLayer || !h.Created.Equal(time.Unix(0, 0)) {
					t.Errorf("history entry %d does not tell of %s: %+v", i, src.Name, h)
				}
			}
			if !config.Created.Equal(time.Unix(0, 0)) {
				t.Errorf("created at %v, want the epoch", config.Created)
			}
			if len(built.Findings) > 0 {
				t.Errorf("findings: %+v", built.Findings)
			}
			if !built.Proof.Equal || built.Proof.Compared != 9 {
				t.Errorf("proof: %+v", built.Proof)
			}
			repaired := []ProofRepair{
				{"/opt/bin/tool", "mode 0750 made 0755"},
				{"/opt/extensions/agent", "made executable: the archive carries no modes"},
				{"/var/task/secret.txt", "mode 0600 made 0644"},
			}
			if diff := cmp.Diff(repaired, built.Proof.Repairs); diff != "" {
				t.Errorf("repairs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildIsReproducible(t *testing.T) {
	req := request(t, ociFamily)
	first := digest(t, mustBuild(t, req).Image)
	req.Store = openStore(t)
	req.Code.Name = "elsewhere.zip"
	if again := digest(t, mustBuild(t, req).Image); again != first {
		t.Errorf("the second build is %s, the first %s", again, first)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	dated := mustBuild(t, req)
	config, err := dated.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Unix(1700000000, 0); !config.Created.Equal(want) || !config.History[len(config.History)-1].Created.Equal(want) {
		t.Errorf("created %v, want %v", config.Created, want)
	}
	if digest(t, dated.Image) == first {
		t.Error("SOURCE_DATE_EPOCH made no difference")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, err := Build(context.Background(), req); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("a bad SOURCE_DATE_EPOCH: %v", err)
	}
}

func TestBuildConvertsAnArchiveOnce(t *testing.T) {
	req := request(t, dockerFamily)
	req.Layers = append(req.Layers, req.Layers[0])
	req.Layers[2].Name = "one again.zip"
	var mu sync.Mutex
	started := map[string]int{}
	req.Progress = func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Stage == StageConvert && p.Finished {
			started[p.Item]++
		}
	}
	built := mustBuild(t, req)
	if want := map[string]int{"one.zip": 1, "two.zip": 1, "/somewhere/code.zip": 1}; !cmp.Equal(started, want) {
		t.Errorf("converted %v, want %v", started, want)
	}
	if got := built.Layers[2].Source.Name; got != "one again.zip" {
		t.Errorf("the repeated layer is reported as %q", got)
	}
	manifest, _ := built.Image.Manifest()
	if len(manifest.Layers) != 2+4 || manifest.Layers[2].Digest != manifest.Layers[4].Digest {
		t.Errorf("layers: %v", manifest.Layers)
	}
	// The last copy wins again.
	if got := fileIn(t, built.Image, "opt/nodejs/a.js"); got.size != 2 || got.sha256 != sum("a1") {
		t.Errorf("/opt/nodejs/a.js is %+v, want the first layer's, which comes last, too", got)
	}
}

func TestBuildLinksTheBootstrap(t *testing.T) {
	bootstrap := ziptest.File("bootstrap", "#!/bin/sh").Perm(0o755)
	for name, c := range map[string]struct {
		layers []layer.Source
		code   layer.Source
		want   string
	}{
		"in the code":  {[]layer.Source{source(t, "l", bootstrap)}, source(t, "c", bootstrap), "/var/task/bootstrap"},
		"in a layer":   {[]layer.Source{source(t, "l", bootstrap)}, source(t, "c", ziptest.File("f.sh", "")), "/opt/bootstrap"},
		"as a link":    {nil, source(t, "c", ziptest.Link("bootstrap", "main"), ziptest.File("main", "").Perm(0o755)), "/var/task/bootstrap"},
		"a directory":  {nil, source(t, "c", ziptest.File("bootstrap/x", "")), ""},
		"none at all":  {nil, source(t, "c", ziptest.File("f.sh", "")), ""},
		"without mode": {nil, source(t, "c", ziptest.File("bootstrap", "x").DOS()), "/var/task/bootstrap"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, dockerFamily)
			req.Runtime, req.Handler, req.Layers, req.Code = "provided.al2023", "", c.layers, c.code
			built, err := Build(context.Background(), req)
			if c.want == "" {
				if err == nil || !strings.Contains(err.Error(), "/var/runtime/bootstrap") {
					t.Fatalf("want an error that says what is missing, got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e := fileIn(t, built.Image, "var/runtime/bootstrap")
			if e.typ != tar.TypeSymlink || e.target != c.want {
				t.Errorf("/var/runtime/bootstrap is %+v, want a link to %s", e, c.want)
			}
			manifest, _ := built.Image.Manifest()
			if got, want := len(manifest.Layers), 2+len(c.layers)+1; got != want {
				t.Errorf("%d layers, want %d: the link lies inside the code's", got, want)
			}
			config, _ := built.Image.ConfigFile()
			if !slices.Equal(config.Config.Cmd, []string{"bootstrap"}) {
				t.Errorf("CMD %q, want one word", config.Config.Cmd)
			}
			if len(built.Findings) > 0 {
				t.Errorf("findings: %+v", built.Findings)
			}
		})
	}
}

func TestBuildOnABaseOfOnesOwn(t *testing.T) {
	host := serve(t)
	own := imageOf(t, ociFamily, v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{
		Entrypoint: []string{"/usr/bin/ric", "--fast"}, Cmd: []string{"a", "b"}, WorkingDir: "/srv",
	}}, plainLayer(t, ociFamily, dir("usr"), dir("usr/bin"), program("usr/bin/ric", "r"), dir("opt"), text("opt/note", "base's own")))
	push(t, host+"/own:1", own)
	req := request(t, dockerFamily)
	req.Base = host + "/own:1"
	built := mustBuild(t, req)
	config, _ := built.Image.ConfigFile()
	if got := config.Config; !slices.Equal(got.Entrypoint, []string{"/usr/bin/ric", "--fast"}) || !slices.Equal(got.Cmd, []string{"index.handler"}) || got.WorkingDir != "/srv" {
		t.Errorf("configuration %+v", got)
	}
	if mt, _ := built.Image.MediaType(); mt != types.OCIManifestSchema1 {
		t.Errorf("type %q, want the base's", mt)
	}
	if got := len(config.History); got != 1+3 {
		t.Errorf("%d entries in the history, want one for each of 4 layers", got)
	}
	if want := []string{"/opt/note"}; !built.Proof.Equal || !slices.Equal(built.Proof.Base, want) {
		t.Errorf("proof %+v, want the base's file told as such", built.Proof)
	}
	proof, err := Prove(context.Background(), built.Image, req.Layers, &req.Code)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(built.Proof, proof); diff != "" {
		t.Errorf("proving the image by itself (-build +alone):\n%s", diff)
	}

	// A base with AWS's entrypoint but nothing behind it.
	req.Base = req.BaseRegistry + "/provided:al2023"
	if _, err := Build(context.Background(), req); err == nil || !strings.Contains(err.Error(), "has no /var/runtime/bootstrap") {
		t.Errorf("an OS-only base for nodejs22.x: %v", err)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Request)
		want   []string
	}{
		"an unknown runtime":       {func(r *Request) { r.Runtime = "cobol85" }, []string{"cobol85", "--base"}},
		"a runtime without a base": {func(r *Request) { r.Runtime = "nodejs8.10" }, []string{"nodejs8.10", "--base"}},
		"no handler":               {func(r *Request) { r.Handler = "" }, []string{"handler"}},
		"no code":                  {func(r *Request) { r.Code.Dir = nil }, []string{"code"}},
		"an unknown architecture":  {func(r *Request) { r.Architecture = "mips" }, []string{"mips", "x86_64"}},
		"the wrong architecture":   {func(r *Request) { r.Architecture = "arm64" }, []string{"linux/amd64", "arm64", "--base"}},
		"a base that is not there": {func(r *Request) { r.Base = r.BaseRegistry + "/nodejs:99" }, []string{"nodejs:99", "no image"}},
		"a clash between layers": {func(r *Request) {
			r.Layers = append(r.Layers, source(t, "three.zip", ziptest.File("nodejs", "a file")))
		}, []string{"/opt/nodejs", "three.zip", "zip (layer 3)", "directory"}},
		"a damaged archive": {func(r *Request) {
			r.Code = source(t, "bad.zip", ziptest.File("x", "hello").Both(func(h *ziptest.Header) { h.CRC++ }))
		}, []string{"bad.zip", "CRC"}},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, dockerFamily)
			c.change(&req)
			built, err := Build(context.Background(), req)
			if err == nil || built != nil {
				t.Fatalf("built %v, error %v", built, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q: %v", want, err)
				}
			}
		})
	}
}

func TestBuildRejectsAnImageThatLambdaWouldRefuse(t *testing.T) {
	host := serve(t)
	push(t, host+"/own:1", imageOf(t, dockerFamily, v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{Entrypoint: []string{"/a/b"}}},
		plainLayer(t, dockerFamily, program("a/b", "no directory entry"))))
	req := request(t, dockerFamily)
	req.Base = host + "/own:1"
	_, err := Build(context.Background(), req)
	var rejected *RejectedError
	if !errors.As(err, &rejected) {
		t.Fatalf("got %v, want a RejectedError", err)
	}
	if f := rejected.Built.Findings; len(f) != 1 || f[0].Rule != "parent-directory" || f[0].Path != "/a/b" {
		t.Errorf("findings %+v", f)
	}
	if !strings.Contains(err.Error(), "/a/b") || rejected.Built.Image == nil || !rejected.Built.Proof.Equal {
		t.Errorf("%v: %+v", err, rejected.Built.Proof)
	}
}

// TestBuildNoticesATamperedLayer changes a converted layer on disk before it is
// read for the check.
func TestBuildNoticesATamperedLayer(t *testing.T) {
	dir := t.TempDir()
	store, err := layer.OpenStore(dir, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	req := request(t, ociFamily)
	req.Store = store
	if _, err := Build(context.Background(), req); err != nil { // its layers are at hand from now on
		t.Fatal(err)
	}
	changed := 0
	req.Early = func(l v1.Layer) {
		if l, ok := l.(*layer.Layer); !ok || l.Source.Name != req.Code.Name {
			return
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
		if err != nil {
			t.Error(err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				continue
			}
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Error(err)
				continue
			}
			plain, err := io.ReadAll(z)
			f.Close()
			if err != nil || !bytes.Contains(plain, []byte("exports.handler = 1")) {
				continue
			}
			plain = bytes.Replace(plain, []byte("handler = 1"), []byte("handler = 2"), 1)
			if err := os.WriteFile(file, zipped(plain), 0o600); err != nil {
				t.Error(err)
			}
			changed++
		}
	}
	_, err = Build(context.Background(), req)
	var rejected *RejectedError
	if changed != 1 || !errors.As(err, &rejected) {
		t.Fatalf("%d layers changed, and Build says: %v", changed, err)
	}
	if d := rejected.Built.Proof.Differences; len(d) != 1 || d[0].Path != "/var/task/index.js" {
		t.Errorf("differences %+v", d)
	}
	rules := map[string]bool{}
	for _, f := range rejected.Built.Findings {
		rules[f.Rule] = true
	}
	if !rules["digest"] || !rules["diff-id"] {
		t.Errorf("findings %+v", rejected.Built.Findings)
	}
	if strings.Contains(err.Error(), "%!") {
		t.Error(err)
	}
}

func TestBuildStopsWhenToldTo(t *testing.T) {
	for _, stage := range []Stage{StageBase, StageConvert, StageCompose, StageLint, StageProve} {
		t.Run(string(stage), func(t *testing.T) {
			req := request(t, dockerFamily)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			req.Progress = func(p Progress) {
				if p.Stage == stage && !p.Finished {
					cancel()
				}
			}
			if _, err := Build(ctx, req); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled in %s: %v", stage, err)
			}
		})
	}
}

func TestBuildTellsItsProgress(t *testing.T) {
	req := request(t, dockerFamily)
	var mu sync.Mutex
	finished := map[Stage]int{}
	last := map[string]int64{}
	req.Progress = func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		key := string(p.Stage) + p.Item
		if p.Done < last[key] || p.Total > 0 && p.Done > p.Total {
			t.Errorf("%+v after %d", p, last[key])
		}
		last[key] = p.Done
		if p.Finished {
			finished[p.Stage]++
		}
	}
	mustBuild(t, req)
	if want := map[Stage]int{StageBase: 1, StageConvert: 3, StageCompose: 1, StageLint: 1, StageProve: 1}; !cmp.Equal(finished, want) {
		t.Errorf("finished %v, want %v", finished, want)
	}
}

func TestReport(t *testing.T) {
	req := request(t, dockerFamily)
	built := mustBuild(t, req)
	b, err := json.Marshal(built.Report("oci:out"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"schema": 1.0, "digest": digest(t, built.Image), "mediaType": string(types.DockerManifestSchema2),
		"platform": "linux/amd64", "output": "oci:out",
		"base": map[string]any{"ref": req.BaseRegistry + "/nodejs:22", "digest": built.Base.Digest.String()},
	} {
		if diff := cmp.Diff(want, got[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	layers := got["layers"].([]any)
	if len(layers) != 3 {
		t.Fatalf("%d layers, want one for each archive", len(layers))
	}
	code := layers[2].(map[string]any)
	if code["source"] != "/somewhere/code.zip" || code["mediaType"] != string(types.DockerLayer) {
		t.Errorf("the last layer is %v", code)
	}
	manifest, _ := built.Image.Manifest()
	var size int64
	for _, d := range manifest.Layers {
		size += d.Size
	}
	if got["size"] != float64(size) || got["uncompressed"].(float64) <= 0 {
		t.Errorf("size %v, uncompressed %v; want %d compressed", got["size"], got["uncompressed"], size)
	}
	for _, key := range []string{"digest", "diffId", "size", "uncompressed"} {
		if code[key] == nil {
			t.Errorf("a layer lacks %q", key)
		}
	}
	if bytes.Contains(b, []byte("null")) {
		t.Errorf("null in %s", b)
	}
}

func TestBuiltImageSurvivesARegistry(t *testing.T) {
	for name, kin := range families {
		t.Run(name, func(t *testing.T) {
			req := request(t, kin)
			built := mustBuild(t, req)
			ref := strings.TrimSuffix(req.BaseRegistry, "/lambda") + "/mine:1"
			push(t, ref, built.Image)
			back, err := Open(context.Background(), ref, remote.WithJobs(2))
			if err != nil {
				t.Fatal(err)
			}
			if digest(t, back) != digest(t, built.Image) {
				t.Error("the digest has changed on the way")
			}
			findings, err := LintReference(context.Background(), ref)
			if err != nil || len(findings) > 0 {
				t.Errorf("lint: %+v, %v", findings, err)
			}
			proof, err := Prove(context.Background(), back, req.Layers, &req.Code)
			if err != nil || !proof.Equal {
				t.Errorf("proof: %+v, %v", proof, err)
			}
		})
	}
}

// fileIn reads one path of an image.
func fileIn(t testing.TB, img v1.Image, path string) *entry {
	t.Helper()
	s, err := (&scanner{hashes: true}).scan(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	n := newTree(s.layers).find(path, false)
	if n == nil || n.entry == nil {
		t.Fatalf("the image has no entry for %s", path)
	}
	return n.entry
}
