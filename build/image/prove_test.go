package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func perm(mode int64) func(*tar.Header) { return func(h *tar.Header) { h.Mode = mode } }

// archives and tars are the same files, written independently of each other.
func archives(t testing.TB) ([]layer.Source, *layer.Source) {
	code := source(t, "code.zip",
		ziptest.File("index.js", "code").Deflated(), ziptest.Dir("lib"), ziptest.File("lib/a", "a"), ziptest.Link("lib/b", "/opt/x"))
	return []layer.Source{
		source(t, "one.zip", ziptest.File("bin/run", "one").Perm(0o755), ziptest.File("both", "one")),
		source(t, "two.zip", ziptest.File("both", "two"), ziptest.File("secret", "s").Perm(0o600), ziptest.File("suid", "s").Perm(0o4711),
			ziptest.File("dos/plain", "p").DOS(), ziptest.File("extensions/e", "e").DOS(), ziptest.Dir("closed").Perm(0o700)),
	}, &code
}

func tars() [][]file {
	return [][]file{
		{dir("opt"), dir("opt/bin"), program("opt/bin/run", "one"), text("opt/both", "one")},
		{dir("opt"), dir("opt/closed"), dir("opt/dos"), dir("opt/extensions"), text("opt/both", "two"), text("opt/secret", "s"),
			program("opt/suid", "s"), text("opt/dos/plain", "p"), program("opt/extensions/e", "e")},
		{dir("var"), dir("var/task"), dir("var/task/lib"), text("var/task/index.js", "code"), text("var/task/lib/a", "a"), link("var/task/lib/b", "/opt/x")},
	}
}

func imageOfTars(t testing.TB, labels map[string]string, tars ...[]file) v1.Image {
	t.Helper()
	var layers []v1.Layer
	for _, files := range tars {
		layers = append(layers, plainLayer(t, ociFamily, files...))
	}
	return imageOf(t, ociFamily, v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{Labels: labels}}, layers...)
}

func TestProveAcceptsTheSameFiles(t *testing.T) {
	layers, code := archives(t)
	proof, err := Prove(context.Background(), imageOfTars(t, nil, tars()...), layers, code)
	if err != nil {
		t.Fatal(err)
	}
	want := &Proof{Equal: true, Compared: 14, Differences: []Difference{}, Repairs: []ProofRepair{
		{"/opt/closed", "mode 0700 made 0755"},
		{"/opt/extensions/e", "made executable: the archive carries no modes"},
		{"/opt/secret", "mode 0600 made 0644"},
		{"/opt/suid", "mode 4711 made 0755"},
	}}
	if diff := cmp.Diff(want, proof); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Modes that are the archive's own are equal, and no repair.
	exact := tars()
	exact[1] = append(exact[1], text("opt/secret", "s").with(perm(0o600)), text("opt/suid", "s").with(perm(0o4711)))
	proof, err = Prove(context.Background(), imageOfTars(t, nil, exact...), layers, code)
	if err != nil || !proof.Equal || len(proof.Repairs) != 2 {
		t.Errorf("with the archives' own modes: %+v, %v", proof, err)
	}
}

// TestProveFindsEveryDifference changes one thing in the image and wants it told.
func TestProveFindsEveryDifference(t *testing.T) {
	// replace puts a file in place of another of the same name, in one layer.
	replace := func(layer int, f ...file) func([][]file) [][]file {
		return func(tars [][]file) [][]file {
			var out []file
			for _, old := range tars[layer] {
				if strings.TrimSuffix(old.Name, "/") != strings.TrimSuffix(f[0].Name, "/") {
					out = append(out, old)
				}
			}
			tars[layer] = append(out, f...)
			return tars
		}
	}
	over := func(f ...file) func([][]file) [][]file {
		return func(tars [][]file) [][]file { return append(tars, f) }
	}
	for name, c := range map[string]struct {
		change func([][]file) [][]file
		path   string
		want   string // part of it
		got    string
	}{
		"other bytes":                 {replace(2, text("var/task/index.js", "CODE")), "/var/task/index.js", fmt.Sprintf("sha256:%x", sum("code")), fmt.Sprintf("sha256:%x", sum("CODE"))},
		"more bytes":                  {replace(2, text("var/task/index.js", "code ")), "/var/task/index.js", "4 bytes", "5 bytes"},
		"the shadowed copy":           {replace(1, text("opt/both", "one")), "/opt/both", fmt.Sprintf("%x", sum("two")), fmt.Sprintf("%x", sum("one"))},
		"a file less":                 {over(text("opt/bin/.wh.run", "")), "/opt/bin/run", "file", ""},
		"a directory emptied":         {over(text("opt/bin/.wh..wh..opq", "")), "/opt/bin/run", "file", ""},
		"an empty directory less":     {over(text("var/task/.wh.lib", "")), "/var/task/lib", "directory", ""},
		"a file more":                 {over(program("opt/extensions/evil", "x")), "/opt/extensions/evil", "", "file, mode 0755"},
		"an empty directory more":     {over(dir("var/task/node_modules")), "/var/task/node_modules", "", "directory"},
		"a device more":               {over(file{Header: tar.Header{Name: "opt/null", Typeflag: tar.TypeChar}}), "/opt/null", "", "special"},
		"not executable":              {replace(0, text("opt/bin/run", "one")), "/opt/bin/run", "mode 0755", "mode 0644"},
		"executable for no reason":    {replace(2, program("var/task/index.js", "code")), "/var/task/index.js", "mode 0644", "mode 0755"},
		"writable by all":             {replace(2, text("var/task/index.js", "code").with(perm(0o666))), "/var/task/index.js", "mode 0644", "mode 0666"},
		"less readable":               {replace(2, text("var/task/index.js", "code").with(perm(0o640))), "/var/task/index.js", "mode 0644", "mode 0640"},
		"set-ID kept and widened":     {replace(1, text("opt/suid", "s").with(perm(0o4755))), "/opt/suid", "mode 4711", "mode 4755"},
		"set-ID added":                {replace(2, text("var/task/index.js", "code").with(perm(0o4644))), "/var/task/index.js", "mode 0644", "mode 4644"},
		"no mode, but a private one":  {replace(1, text("opt/dos/plain", "p").with(perm(0o600))), "/opt/dos/plain", "without a mode", "mode 0600"},
		"an extension that can't run": {replace(1, text("opt/extensions/e", "e")), "/opt/extensions/e", "without a mode", "mode 0644"},
		"a closed directory":          {replace(1, dir("opt/closed").with(perm(0o700))), "/opt/closed", "directory", "mode 0700"},
		"a closed implied directory":  {replace(0, dir("opt/bin").with(perm(0o750))), "/opt/bin", "directory", "mode 0750"},
		"another target":              {replace(2, link("var/task/lib/b", "/opt/y")), "/var/task/lib/b", "link to /opt/x", "link to /opt/y"},
		"a file for a link":           {replace(2, text("var/task/lib/b", "/opt/x")), "/var/task/lib/b", "link to /opt/x", "file"},
		"a link for a file":           {replace(2, link("var/task/index.js", "code")), "/var/task/index.js", "file", "link to code"},
		"a directory for a file":      {replace(2, dir("var/task/index.js")), "/var/task/index.js", "file", "directory"},
		"a file for a directory":      {replace(1, text("opt/closed", "")), "/opt/closed", "directory", "file"},
		"a hard link elsewhere":       {replace(2, hardLink("var/task/index.js", "opt/both")), "/var/task/index.js", fmt.Sprintf("%x", sum("code")), fmt.Sprintf("%x", sum("two"))},
		"a hard link to nothing":      {replace(2, hardLink("var/task/index.js", "opt/nothing")), "/var/task/index.js", "file", "hard link to nothing"},
		"a closed root":               {over(dir("var/task").with(perm(0o700))), "/var/task", "directory", "mode 0700"},
	} {
		t.Run(name, func(t *testing.T) {
			layers, code := archives(t)
			proof, err := Prove(context.Background(), imageOfTars(t, nil, c.change(tars())...), layers, code)
			if err != nil {
				t.Fatal(err)
			}
			if proof.Equal || len(proof.Differences) == 0 {
				t.Fatalf("found equal: %+v", proof)
			}
			for _, d := range proof.Differences {
				if d.Path != c.path {
					continue
				}
				if !strings.Contains(d.Want, c.want) || !strings.Contains(d.Got, c.got) || c.want == "" && d.Want != "" || c.got == "" && d.Got != "" {
					t.Errorf("told as %+v, want %q and %q", d, c.want, c.got)
				}
				return
			}
			t.Errorf("nothing is told of %s: %+v", c.path, proof.Differences)
		})
	}
}

func TestProveTellsTheBasesFilesApart(t *testing.T) {
	base := []file{dir("opt"), dir("opt/agent"), text("opt/agent/a", "base"), text("opt/both", "base"), dir("var"), dir("var/task")}
	all := append([][]file{base}, tars()...)
	layers, code := archives(t)
	for name, c := range map[string]struct {
		label string
		equal bool
	}{"told by the image": {"1", true}, "not told": {"", false}, "nonsense": {"-3", false}, "more than there are": {"99", false}} {
		labels := map[string]string{}
		if c.label != "" {
			labels[LabelBaseLayers] = c.label
		}
		proof, err := Prove(context.Background(), imageOfTars(t, labels, all...), layers, code)
		if err != nil {
			t.Fatal(err)
		}
		if proof.Equal != c.equal {
			t.Errorf("%s: %+v", name, proof)
		}
		if c.equal && !cmp.Equal(proof.Base, []string{"/opt/agent", "/opt/agent/a"}) {
			t.Errorf("%s: the base's own are %v", name, proof.Base)
		}
	}
	// A layer put between the base and the archives' is no part of the base.
	slipped := append([][]file{base, {dir("opt"), text("opt/evil", "x")}}, tars()...)
	proof, err := Prove(context.Background(), imageOfTars(t, map[string]string{LabelBaseLayers: "1"}, slipped...), layers, code)
	if err != nil || proof.Equal || proof.Differences[0].Path != "/opt/evil" {
		t.Errorf("a layer that was slipped in: %+v, %v", proof, err)
	}
}

func TestProveFindsItsRootsThroughLinks(t *testing.T) {
	layers, code := archives(t)
	moved := [][]file{{dir("srv"), dir("srv/task"), link("var", "srv")}, tars()[0], tars()[1],
		{dir("srv/task/lib"), text("var/task/index.js", "code"), text("var/task/lib/a", "a"), link("var/task/lib/b", "/opt/x")}}
	proof, err := Prove(context.Background(), imageOfTars(t, nil, moved...), layers, code)
	if err != nil || !proof.Equal {
		t.Errorf("%+v, %v", proof, err)
	}
	moved = append(moved, []file{text("srv/task/more", "")})
	proof, err = Prove(context.Background(), imageOfTars(t, nil, moved...), layers, code)
	if err != nil || len(proof.Differences) != 1 || proof.Differences[0].Path != "/var/task/more" {
		t.Errorf("%+v, %v", proof, err)
	}
}

func TestProveWithoutCode(t *testing.T) {
	layers, _ := archives(t)
	proof, err := Prove(context.Background(), imageOfTars(t, nil, tars()[:2]...), layers, nil)
	if err != nil || !proof.Equal {
		t.Errorf("%+v, %v", proof, err)
	}
}

func TestProveCannotSay(t *testing.T) {
	layers, code := archives(t)
	clashing := append(layers, source(t, "three.zip", ziptest.File("bin", "")))
	if _, err := Prove(context.Background(), imageOfTars(t, nil, tars()...), clashing, code); err == nil || !strings.Contains(err.Error(), "three.zip") {
		t.Errorf("archives that clash: %v", err)
	}
	under := append(layers, source(t, "four.zip", ziptest.File("both/x", "")))
	if _, err := Prove(context.Background(), imageOfTars(t, nil, tars()...), under, code); err == nil || !strings.Contains(err.Error(), "/opt/both") {
		t.Errorf("a file under a file: %v", err)
	}
	damaged := source(t, "bad.zip", ziptest.File("index.js", "code").Both(func(h *ziptest.Header) { h.CRC++ }))
	if _, err := Prove(context.Background(), imageOfTars(t, nil, tars()...), layers, &damaged); err == nil || !strings.Contains(err.Error(), "bad.zip") {
		t.Errorf("a damaged archive: %v", err)
	}
	broken := plainLayer(t, ociFamily, tars()[0]...)
	broken.blob = broken.blob[:len(broken.blob)-20]
	broken.digest = hashOf(broken.blob)
	if _, err := Prove(context.Background(), imageOf(t, ociFamily, v1.ConfigFile{}, broken), layers, code); err == nil || !strings.Contains(err.Error(), broken.digest.String()) {
		t.Errorf("a damaged image: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Prove(ctx, imageOfTars(t, nil, tars()...), layers, code); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
