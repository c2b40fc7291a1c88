package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
)

// good is an image that somebody built on an AWS base with another tool.
func good(t testing.TB, kin family, layers ...v1.Layer) v1.Image {
	t.Helper()
	img := awsBase(t, kin, "amd64")
	if len(layers) == 0 {
		layers = []v1.Layer{plainLayer(t, kin, dir("var"), dir("var/task"), text("var/task/index.js", "x"), dir("opt"), dir("opt/extensions"), program("opt/extensions/agent", "x"))}
	}
	return configured(t, img, func(c *v1.ConfigFile) { c.Config.Cmd = []string{"index.handler"} }, layers...)
}

func configured(t testing.TB, img v1.Image, change func(*v1.ConfigFile), layers ...v1.Layer) v1.Image {
	t.Helper()
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	change(config)
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layers...); err != nil {
		t.Fatal(err)
	}
	return img
}

// lies wraps an image and changes what it answers.
type lies struct {
	v1.Image
	manifest func(*v1.Manifest)
	config   []byte
	kind     types.MediaType
}

func (l *lies) Manifest() (*v1.Manifest, error) {
	m, err := l.Image.Manifest()
	if m = m.DeepCopy(); l.manifest != nil {
		l.manifest(m)
	}
	return m, err
}

func (l *lies) RawConfigFile() ([]byte, error) {
	if l.config != nil {
		return l.config, nil
	}
	return l.Image.RawConfigFile()
}

func (l *lies) MediaType() (types.MediaType, error) {
	if l.kind != "" {
		return l.kind, nil
	}
	return l.Image.MediaType()
}

func TestLintPassesGoodImages(t *testing.T) {
	for name, kin := range families {
		for what, img := range map[string]v1.Image{
			"one built on an AWS base": good(t, kin),
			"an AWS base as it is":     configured(t, awsBase(t, kin, "arm64"), func(c *v1.ConfigFile) { c.Config.Cmd = []string{"h"} }),
			"one with docker's history": configured(t, awsBase(t, kin, "amd64"), func(c *v1.ConfigFile) {
				c.Config.Cmd = []string{"h"}
				for i := range c.History {
					c.History[i].CreatedBy = "/bin/sh -c #(nop)  " + c.History[i].CreatedBy
				}
			}),
		} {
			findings, err := Lint(context.Background(), img)
			if err != nil || len(findings) > 0 {
				t.Errorf("%s, %s: %+v, %v", what, name, findings, err)
			}
		}
	}
}

// TestLintFindsEveryRule breaks each rule by itself and wants that one and no other.
func TestLintFindsEveryRule(t *testing.T) {
	docker, oci := dockerFamily, ociFamily
	task := []file{dir("var"), dir("var/task")}
	onTask := func(kin family, files ...file) *blobLayer {
		return plainLayer(t, kin, append(slices.Clone(task), files...)...)
	}
	retyped := func(l *blobLayer, m types.MediaType) *blobLayer { l.mediaType = m; return l }
	withBlob := func(l *blobLayer, change func([]byte) []byte) *blobLayer {
		l.blob = change(slices.Clone(l.blob))
		l.digest = hashOf(l.blob)
		return l
	}
	extensions := func(files ...file) *blobLayer {
		return plainLayer(t, docker, append([]file{dir("opt"), dir("opt/extensions")}, files...)...)
	}
	eleven := make([]file, 11)
	for i := range eleven {
		eleven[i] = program(fmt.Sprintf("opt/extensions/e%02d", i), "x")
	}
	cases := []struct {
		name     string
		img      v1.Image
		rule     string
		severity Severity
		path     string
		limit    func(*limits)
	}{
		{name: "no os", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.OS = "" }), rule: "platform", severity: Refused},
		{name: "another architecture", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Architecture = "s390x" }), rule: "platform", severity: Refused},
		{name: "an old manifest", img: &lies{Image: good(t, docker), kind: types.DockerManifestSchema1}, rule: "media-type", severity: Refused},
		{name: "two opinions of the manifest", img: &lies{Image: good(t, oci), manifest: func(m *v1.Manifest) { m.MediaType = types.DockerManifestSchema2 }}, rule: "media-type", severity: Refused},
		{name: "an artifact's configuration", img: &lies{Image: good(t, oci), manifest: func(m *v1.Manifest) { m.Config.MediaType = "application/x" }}, rule: "media-type", severity: Refused},
		{name: "a mixed configuration", img: &lies{Image: good(t, oci), manifest: func(m *v1.Manifest) { m.Config.MediaType = types.DockerConfigJSON }}, rule: "media-type", severity: Doubtful},
		{name: "a mixed layer", img: good(t, oci, onTask(docker)), rule: "media-type", severity: Doubtful},
		{name: "an attestation layer", img: good(t, oci, retyped(withBlob(onTask(oci), func([]byte) []byte { return []byte(`{"_type":"statement"}`) }), "application/vnd.in-toto+json")), rule: "media-type", severity: Refused},
		{name: "a foreign layer", img: good(t, docker, retyped(onTask(docker), types.DockerForeignLayer)), rule: "media-type", severity: Refused},
		{name: "a large manifest", img: good(t, oci), rule: "manifest-size", severity: Refused, limit: func(l *limits) { l.manifest = 500 }},
		{name: "too much", img: good(t, oci), rule: "unpacked-size", severity: Refused, limit: func(l *limits) { l.unpacked = 4096 }},
		{name: "a changed byte", img: good(t, docker, func() *blobLayer {
			l := onTask(docker)
			l.blob[9]++ // the OS in the gzip header: nothing else changes
			return l
		}()), rule: "digest", severity: Refused},
		{name: "a changed configuration", img: &lies{Image: good(t, docker), config: []byte("{}")}, rule: "digest", severity: Refused},
		{name: "another tar", img: good(t, docker, func() *blobLayer { l := onTask(docker); l.diffID = hashOf(nil); return l }()), rule: "diff-id", severity: Refused},
		{name: "a layer too many", img: &lies{Image: good(t, docker), manifest: func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }}, rule: "diff-id", severity: Refused},
		{name: "half a layer", img: good(t, docker, withBlob(onTask(docker, text("var/task/x", "x")), func(b []byte) []byte { return b[:len(b)/2] })), rule: "layer-read", severity: Refused},
		{name: "no tar", img: good(t, docker, tarLayer(docker, bytes.Repeat([]byte("no tar"), 300))), rule: "layer-read", severity: Refused},
		{name: "not compressed, docker", img: good(t, docker, retyped(withBlob(onTask(docker), func([]byte) []byte { return tarOf(t, task...) }), types.DockerUncompressedLayer)), rule: "layer-gzip", severity: Refused},
		{name: "not compressed, oci", img: good(t, oci, retyped(withBlob(onTask(oci), func([]byte) []byte { return tarOf(t, task...) }), types.OCIUncompressedLayer)), rule: "layer-gzip", severity: Doubtful},
		{name: "not compressed, but said to be", img: good(t, docker, withBlob(onTask(docker), func([]byte) []byte { return tarOf(t, task...) })), rule: "layer-gzip", severity: Refused},
		{name: "zstd", img: good(t, oci, retyped(withBlob(onTask(oci), func([]byte) []byte {
			z, _ := zstd.NewWriter(nil)
			return z.EncodeAll(tarOf(t, task...), nil)
		}), types.OCILayerZStd)), rule: "layer-gzip", severity: Refused},
		{name: "two members", img: good(t, docker, withBlob(onTask(docker), func([]byte) []byte {
			b := tarOf(t, task...)
			return append(zipped(b[:512]), zipped(b[512:])...)
		})), rule: "gzip-member", severity: Doubtful},
		{name: "bytes behind", img: good(t, docker, withBlob(onTask(docker), func(b []byte) []byte { return append(b, 0, 0, 0) })), rule: "gzip-member", severity: Doubtful},
		{name: "no parent", img: good(t, docker, plainLayer(t, docker, dir("opt"), text("opt/lib/x", ""))), rule: "parent-directory", severity: Refused, path: "/opt/lib/x"},
		{name: "parent too late", img: good(t, docker, plainLayer(t, docker, dir("opt"), text("opt/lib/x", ""), dir("opt/lib"))), rule: "parent-directory", severity: Refused, path: "/opt/lib/x"},
		{name: "out of the image", img: good(t, docker, onTask(docker, text("../../etc/passwd", ""))), rule: "unsafe-path", severity: Refused, path: "../../etc/passwd"},
		{name: "a hard link", img: good(t, docker, onTask(docker, text("var/task/a", "1"), hardLink("var/task/b", "var/task/a"))), rule: "hard-link", severity: Doubtful, path: "/var/task/b"},
		{name: "twice", img: good(t, docker, onTask(docker, text("var/task/a", "1"), text("./var/task/a", "2"))), rule: "duplicate-path", severity: Doubtful, path: "/var/task/a"},
		{name: "a device", img: good(t, docker, plainLayer(t, docker, dir("dev"), file{Header: tar.Header{Name: "dev/null", Typeflag: tar.TypeChar}})), rule: "special-file", severity: Doubtful, path: "/dev/null"},
		{name: "no handler", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Cmd = nil }), rule: "cmd", severity: Doubtful},
		{name: "two words", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Cmd = []string{"node", "index.handler"} }), rule: "cmd", severity: Refused},
		{name: "nothing to start", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Entrypoint, c.Config.Cmd = nil, nil }), rule: "entrypoint", severity: Doubtful},
		{name: "a relative entrypoint", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Entrypoint = []string{"node"} }), rule: "entrypoint", severity: Doubtful},
		{name: "an entrypoint that is not there", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Entrypoint = []string{"/bin/nothing"} }), rule: "entrypoint", severity: Doubtful, path: "/bin/nothing"},
		{name: "an entrypoint that can't run", img: configured(t, good(t, docker), func(c *v1.ConfigFile) { c.Config.Entrypoint = []string{"/etc/shadow"} }), rule: "entrypoint", severity: Doubtful, path: "/etc/shadow"},
		{name: "too many extensions", img: good(t, docker, extensions(eleven...)), rule: "extension-count", severity: Refused, path: "/opt/extensions"},
		{name: "an extension that can't run", img: good(t, docker, extensions(text("opt/extensions/README.md", "x"))), rule: "extension-file", severity: Doubtful, path: "/opt/extensions/README.md"},
		{name: "a link to nothing", img: good(t, docker, extensions(link("opt/extensions/agent", "../agent"))), rule: "extension-file", severity: Doubtful, path: "/opt/extensions/agent"},
		{name: "a hidden extension", img: good(t, docker, extensions(program("opt/extensions/._agent", "x"))), rule: "extension-file", severity: Doubtful, path: "/opt/extensions/._agent"},
		{name: "a private file", img: good(t, docker, onTask(docker, text("var/task/a", "1").with(func(h *tar.Header) { h.Mode = 0o640 }))), rule: "world-readable", severity: Doubtful, path: "/var/task/a"},
		{name: "a private directory", img: good(t, docker, onTask(docker, dir("var/task/a").with(func(h *tar.Header) { h.Mode = 0o744 }))), rule: "world-readable", severity: Doubtful, path: "/var/task/a"},
		{name: "a private root", img: good(t, docker, plainLayer(t, docker, dir("opt").with(func(h *tar.Header) { h.Mode = 0o700 }))), rule: "world-readable", severity: Doubtful, path: "/opt"},
		{name: "an owner", img: good(t, docker, onTask(docker, text("var/task/a", "1").with(func(h *tar.Header) { h.Uid = 1000 }))), rule: "owner", severity: Doubtful, path: "/var/task/a"},
		{name: "a deletion", img: good(t, docker, onTask(docker, text("var/task/.wh.a", ""))), rule: "whiteout", severity: Remark, path: "/var/task/.wh.a"},
	}
	shown := map[string]bool{"single-platform": true} // TestLintReferenceTakesAnIndex
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			shown[c.rule] = true
			s, err := new(scanner).scan(context.Background(), c.img)
			if err != nil {
				t.Fatal(err)
			}
			limit := lambdaLimits
			if c.limit != nil {
				c.limit(&limit)
			}
			findings := lint(s, limit)
			if len(findings) != 1 {
				t.Fatalf("want one finding of %s, got %+v", c.rule, findings)
			}
			f := findings[0]
			if f.Rule != c.rule || f.Severity != c.severity || f.Path != c.path || f.Message == "" || f.Remedy == "" {
				t.Errorf("want %s, %s, %q; got %+v", c.rule, c.severity, c.path, f)
			}
		})
	}
	for _, r := range Rules() {
		if !shown[r.ID] {
			t.Errorf("the rule %s is shown by no case", r.ID)
		}
	}
}

func TestLintIsFairToWhatIsRepaired(t *testing.T) {
	// What counts for a function is what a path is in the end.
	img := good(t, dockerFamily,
		plainLayer(t, dockerFamily, dir("opt"), dir("opt/extensions"), text("opt/extensions/a", "x"), text("opt/b", "x").with(func(h *tar.Header) { h.Mode = 0o600 })),
		plainLayer(t, dockerFamily, dir("opt"), dir("opt/extensions"), program("opt/extensions/a", "x"), text("opt/b", "x")))
	findings, err := Lint(context.Background(), img)
	if err != nil || len(findings) > 0 {
		t.Errorf("%+v, %v", findings, err)
	}
}

func TestLintOrdersAndCounts(t *testing.T) {
	files := []file{dir("opt")}
	for i := range perRule + 7 {
		files = append(files, text(fmt.Sprintf("opt/f%03d", i), "").with(func(h *tar.Header) { h.Uid = 7 }))
	}
	files = append(files, text("opt/d/x", ""), text("opt/.wh.gone", ""))
	findings, err := Lint(context.Background(), good(t, dockerFamily, plainLayer(t, dockerFamily, files...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != perRule+2 {
		t.Fatalf("%d findings, want %d", len(findings), perRule+2)
	}
	if findings[0].Rule != "parent-directory" || findings[len(findings)-1].Rule != "whiteout" {
		t.Errorf("from %s to %s: want the worst first", findings[0].Rule, findings[len(findings)-1].Rule)
	}
	if last := findings[perRule]; last.Rule != "owner" || !strings.Contains(last.Message, "7 more") {
		t.Errorf("the last of many says %q", last.Message)
	}
	if got := len(Errors(findings)); got != 1 {
		t.Errorf("%d errors, want 1", got)
	}
	if got := len(Broken(findings)); got != len(findings)-1 {
		t.Errorf("%d broken rules, want all but the note", got)
	}
}

func TestLintReferenceTakesAnIndex(t *testing.T) {
	host := serve(t)
	bad := good(t, ociFamily, plainLayer(t, ociFamily, text("opt/x", "")))
	attestation := imageOf(t, ociFamily, v1.ConfigFile{})
	pushIndex(t, host+"/f:1", types.OCIImageIndex, forPlatform(bad, "linux", "amd64"), forPlatform(attestation, "unknown", "unknown"))
	findings, err := LintReference(context.Background(), host+"/f:1")
	if err != nil {
		t.Fatal(err)
	}
	if len(findings) != 2 || findings[0].Rule != "single-platform" || findings[1].Rule != "parent-directory" {
		t.Fatalf("findings %+v", findings)
	}
	if !strings.Contains(findings[0].Message, digest(t, bad)) || strings.Contains(findings[0].Message, digest(t, attestation)) {
		t.Errorf("the message should name the image and not the attestation: %s", findings[0].Message)
	}
	_, err = Open(context.Background(), host+"/f:1")
	var index *IndexError
	if !errors.As(err, &index) || len(index.Images) != 1 {
		t.Errorf("Open: %v", err)
	}
	// The image itself, by its digest, has only its own fault.
	findings, err = LintReference(context.Background(), host+"/f@"+digest(t, bad))
	if err != nil || len(findings) != 1 {
		t.Errorf("by digest: %+v, %v", findings, err)
	}
}
