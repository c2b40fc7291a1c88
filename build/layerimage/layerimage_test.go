package layerimage_test

import (
	"archive/tar"
	"context"
	"debug/elf"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/layerimage"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func source(t *testing.T, name string, entries ...ziptest.Entry) layer.Source {
	t.Helper()
	dir, closer, err := zipdir.OpenFile(ziptest.Write(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	return layer.Source{Name: name, Dir: dir}
}

func store(t *testing.T) *layer.Store {
	t.Helper()
	s, err := layer.OpenStore(t.TempDir(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func build(t *testing.T, req layerimage.Request) *layerimage.Built {
	t.Helper()
	if req.Store == nil {
		req.Store = store(t)
	}
	b, err := layerimage.Build(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTwoLayers(t *testing.T) {
	one := source(t, "/home/someone/one.zip", ziptest.Dir("extensions"), ziptest.File("extensions/agent", ziptest.Program(elf.EM_AARCH64)).Perm(0o700),
		ziptest.File("python/a.py", "one"), ziptest.Link("python/b.py", "a.py"))
	two := source(t, "two.zip", ziptest.File("python/a.py", "two").Perm(0o600).Deflated())
	b := build(t, layerimage.Request{Layers: []layer.Source{one, two}})
	if b.Architecture != "arm64" || len(b.Foreign) != 0 {
		t.Errorf("architecture %s, foreign %v", b.Architecture, b.Foreign)
	}
	config, err := b.Image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" || len(config.Config.Entrypoint)+len(config.Config.Cmd)+len(config.Config.Env) != 0 {
		t.Errorf("configuration %+v", config)
	}
	if len(config.History) != 2 || config.History[0].CreatedBy != "optlift: archive one.zip unpacked to /opt" {
		t.Errorf("history %+v", config.History)
	}
	if !config.Created.Equal(time.Unix(0, 0)) {
		t.Errorf("created %s", config.Created)
	}
	manifest, err := b.Image.Manifest()
	if err != nil || manifest.MediaType != types.OCIManifestSchema1 || len(manifest.Layers) != 2 || manifest.Layers[0].MediaType != types.OCILayer {
		t.Errorf("manifest %+v %v", manifest, err)
	}
	if !b.Proof.Equal || b.Proof.Compared != 5 || len(image.Broken(b.Findings)) != 0 {
		t.Errorf("proof %+v findings %+v", b.Proof, b.Findings)
	}
	// Everything is below /opt, and each layer is whole in itself.
	layers, err := b.Image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"opt/", "opt/extensions/", "opt/python/", "opt/extensions/agent", "opt/python/a.py", "opt/python/b.py"},
		{"opt/", "opt/python/", "opt/python/a.py"},
	} {
		rc, err := layers[i].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for r := tar.NewReader(rc); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, h.Name)
		}
		if !slices.Equal(names, want) {
			t.Errorf("layer %d: %v", i+1, names)
		}
	}
	r := b.Report("oci:x")
	if r.Base.Ref != "scratch" || r.Base.Digest != "" || r.Platform != "linux/arm64" || len(r.Layers) != 2 || r.Layers[1].MediaType != string(types.OCILayer) {
		t.Errorf("report %+v", r)
	}
	// What was written can be read by the library's own checks.
	dir := t.TempDir() + "/image"
	if err := image.WriteOCI(t.Context(), b.Image, dir, ""); err != nil {
		t.Fatal(err)
	}
	again, err := image.Open(t.Context(), "oci:"+dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(again); err != nil {
		t.Error(err)
	}
}

func TestSameLayersSameDigest(t *testing.T) {
	req := func() layerimage.Request {
		return layerimage.Request{Layers: []layer.Source{source(t, "a.zip", ziptest.File("x", "x"))}, Architecture: "x86_64"}
	}
	one, err := build(t, req()).Image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := build(t, req()).Image.Digest()
	if err != nil || one != two {
		t.Errorf("%s %s %v", one, two, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	dated := build(t, req())
	if d, err := dated.Image.Digest(); err != nil || d == one {
		t.Errorf("SOURCE_DATE_EPOCH changes nothing: %s %v", d, err)
	}
}

func TestRefusals(t *testing.T) {
	arm := source(t, "arm.zip", ziptest.File("extensions/agent", ziptest.Program(elf.EM_AARCH64)))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		req  layerimage.Request
		want string
	}{
		{"no layers", t.Context(), layerimage.Request{}, "no layers"},
		{"another architecture", t.Context(), layerimage.Request{Layers: []layer.Source{arm}, Architecture: "x86_64"}, "arm64"},
		{"no such architecture", t.Context(), layerimage.Request{Layers: []layer.Source{source(t, "a.zip", ziptest.File("x", "x"))}, Architecture: "mips"}, "mips"},
		{"a file and a directory", t.Context(), layerimage.Request{Layers: []layer.Source{
			source(t, "a.zip", ziptest.File("x", "x")), source(t, "b.zip", ziptest.File("x/y", "y"))}}, "/opt/x is a file in a.zip (layer 1) and a directory in b.zip"},
		{"canceled", canceled, layerimage.Request{Layers: []layer.Source{arm}}, "canceled"},
	} {
		c.req.Store = store(t)
		b, err := layerimage.Build(c.ctx, c.req)
		if err == nil || !strings.Contains(err.Error(), c.want) || b != nil {
			t.Errorf("%s: %v %v", c.name, b, err)
		}
	}
}
