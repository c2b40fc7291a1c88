package overlay_test

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/overlay"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// archive is a zip on disk as a layer.
func archive(t *testing.T, entries ...ziptest.Entry) layer.Source {
	t.Helper()
	dir, closer, err := zipdir.OpenFile(ziptest.Write(t, entries...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closer.Close() })
	return layer.Source{Name: dir.Name, Dir: dir, Root: layer.Opt}
}

type entry struct {
	tar.Header
	body string
}

func dir(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}
func file(name, body string, mode int64) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(body))}, body: body}
}
func link(kind byte, name, target string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

func imageOf(t *testing.T, architecture string, entries ...entry) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: architecture})
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, static.NewLayer(b.Bytes(), types.DockerUncompressedLayer)); err != nil {
		t.Fatal(err)
	}
	return img
}

// publish pushes to a registry of the test's own and returns the reference.
func publish(t *testing.T, host, repository string, img v1.Image) string {
	t.Helper()
	tag, err := name.NewTag(host + "/" + repository + ":7")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(tag, img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	return tag.String()
}

func newRegistry(t *testing.T) string {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestTake(t *testing.T) {
	host := newRegistry(t)
	x86 := ziptest.Program(elf.EM_X86_64)
	src := archive(t, ziptest.Dir("extensions"), ziptest.File("extensions/agent", x86).Perm(0o755).Deflated(),
		ziptest.File("lib/a", "a").Perm(0o600), ziptest.File("lib/b", "a"), ziptest.Link("c", "lib/a"))
	good := []entry{
		dir("bin"), file("bin/busybox", ziptest.Program(elf.EM_S390), 0o755), // an operating system beside it
		dir("opt"), dir("opt/extensions"), file("opt/extensions/agent", x86, 0o755), dir("opt/lib"), file("opt/lib/a", "a", 0o644),
		link(tar.TypeLink, "opt/lib/b", "opt/lib/a"), link(tar.TypeSymlink, "opt/c", "lib/a"),
	}
	// The label says arm64; the files say otherwise, and they are right.
	img := imageOf(t, "arm64", good...)
	o, err := overlay.Take(t.Context(), publish(t, host, "good", img), machine.X86, src)
	if err != nil {
		t.Fatal(err)
	}
	digest, _ := img.Digest()
	if o.Pinned != host+"/good@"+digest.String() || len(o.Copies) != 1 || o.Copies[0].To != "/opt/" {
		t.Errorf("%+v", o)
	}
	with := func(i int, e entry) []entry {
		list := append([]entry(nil), good...)
		list[i] = e
		return list
	}
	for _, c := range []struct {
		name    string
		entries []entry
		want    string
	}{
		{"other content", with(6, file("opt/lib/a", "b", 0o644)), "/opt/lib/a has other content"},
		{"another length", with(6, file("opt/lib/a", "aa", 0o644)), "/opt/lib/a has 2 bytes"},
		{"another mode", with(6, file("opt/lib/a", "a", 0o755)), "/opt/lib/a has mode 0755"},
		{"missing", append(append([]entry(nil), good[:6]...), good[8:]...), "/opt/lib/a is missing"},
		{"another link", with(8, link(tar.TypeSymlink, "opt/c", "lib/b")), "/opt/c is no link to lib/a"},
		{"more", append(append([]entry(nil), good...), file("opt/more", "m", 0o644)), "/opt/more is in the image only"},
		{"a closed directory", with(3, func() entry { e := dir("opt/extensions"); e.Mode = 0o700; return e }()), "/opt/extensions is no directory"},
	} {
		_, err := overlay.Take(t.Context(), publish(t, host, "bad", imageOf(t, "amd64", c.entries...)), machine.X86, src)
		var different *overlay.DifferentError
		if !errors.As(err, &different) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	wrong := with(4, file("opt/extensions/agent", ziptest.Program(elf.EM_AARCH64), 0o755))
	if _, err := overlay.Take(t.Context(), publish(t, host, "arm", imageOf(t, "amd64", wrong...)), machine.X86, src); err == nil || !strings.Contains(err.Error(), "arm64") {
		t.Errorf("programs for another processor under the right label: %v", err)
	}
	if _, err := overlay.Take(t.Context(), host+"/none:1", machine.X86, src); err == nil {
		t.Error("an image that is not there was taken")
	}
	// An index is followed by platform.
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: imageOf(t, "arm64", wrong...), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	tag, _ := name.NewTag(host + "/index:1")
	if err := remote.WriteIndex(tag, index); err != nil {
		t.Fatal(err)
	}
	if o, err := overlay.Take(t.Context(), tag.String(), machine.X86, src); err != nil || !strings.HasSuffix(o.Pinned, digest.String()) {
		t.Errorf("index: %+v %v", o, err)
	}
}

// What is taken of an image is an archive like any other, the same every time.
func TestSource(t *testing.T) {
	img := imageOf(t, "amd64",
		dir("etc"), file("etc/passwd", "root", 0o644), dir("opt"), dir("opt/lib"), file("opt/lib/a", strings.Repeat("a", 5000), 0o600),
		link(tar.TypeLink, "opt/lib/b", "opt/lib/a"), link(tar.TypeLink, "opt/lib/c", "opt/lib/b"), link(tar.TypeLink, "opt/d", "opt/lib/a"),
		link(tar.TypeSymlink, "opt/e", "/opt/lib/a"), file("opt/extensions/x", "#!", 0o755))
	ref := publish(t, newRegistry(t), "vendor", img)
	o, err := overlay.Open(t.Context(), ref, machine.ARM)
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	src, closer, err := o.Source(t.Context(), "arn:layer", scratch)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Compare(t.Context(), src); err != nil {
		t.Error(err)
	}
	var got []string
	for i := range src.Dir.Entries {
		e := &src.Dir.Entries[i]
		got = append(got, fmt.Sprintf("%s %v %o %d", e.Name, e.Kind, e.Mode, e.Size))
	}
	slices.Sort(got)
	want := []string{
		"d file 600 5000", "e symlink 777 10", "extensions/x file 755 2", "lib dir 755 0",
		"lib/a file 600 5000", "lib/b file 600 5000", "lib/c file 600 5000",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	again, closer2, err := o.Source(t.Context(), "arn:layer", scratch)
	if err != nil || again.SHA256 != src.SHA256 || src.SHA256 == "" || src.Name != "arn:layer" || src.Image != o.Pinned || src.Root != layer.Opt {
		t.Errorf("%+v %+v %v", src, again, err)
	}
	if err := errors.Join(closer.Close(), closer2.Close()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Error("left behind:", left)
	}
	// Nothing is left of a failure either.
	odd := imageOf(t, "amd64", file("opt/a", "a", 0o644), link(tar.TypeFifo, "opt/pipe", ""))
	o, err = overlay.Open(t.Context(), publish(t, newRegistry(t), "odd", odd), machine.X86)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.Source(t.Context(), "x", scratch); err == nil || !strings.Contains(err.Error(), "opt/pipe") {
		t.Error(err)
	}
	if left, _ := os.ReadDir(scratch); len(left) > 0 {
		t.Error("left behind:", left)
	}
	none := imageOf(t, "amd64", file("usr/a", "a", 0o644))
	if _, err := overlay.Open(t.Context(), publish(t, newRegistry(t), "none", none), machine.X86); err == nil || !strings.Contains(err.Error(), "nothing at /opt/") {
		t.Error(err)
	}
}

func TestImageFor(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:65":             "public.ecr.aws/datadog/lambda-extension:65",
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension-ARM:65":         "public.ecr.aws/datadog/lambda-extension:65",
		"arn:aws-us-gov:lambda:us-gov-west-1:002406178527:layer:Datadog-Extension-ARM:65": "public.ecr.aws/datadog/lambda-extension:65",
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension-FIPS:65":        "",
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Python313:65":             "",
		"arn:aws:lambda:eu-central-1:111111111111:layer:Datadog-Extension:65":             "",
		"arn:aws:lambda:us-east-1:451483290750:layer:NewRelicNodeJS22X:40":                "public.ecr.aws/newrelic-lambda-layers-for-docker/newrelic-lambda-layers-nodejs:22",
		"arn:aws:lambda:us-east-1:451483290750:layer:NewRelicPython313ARM64:7":            "public.ecr.aws/newrelic-lambda-layers-for-docker/newrelic-lambda-layers-python:313-arm64",
		"arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:26":            "", // its tag can't be told from the layer
		"arn:aws:lambda:us-east-1:336392948345:layer:AWSSDKPandas-Python312:1":            "",
		"layer.zip": "",
	} {
		if got := overlay.ImageFor(arn); got != want {
			t.Errorf("%s: %q, want %q", arn, got, want)
		}
	}
	all := overlay.AllPublishers()
	for arn, want := range map[string][2]string{
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:65":      {"Datadog (extension)", "public.ecr.aws/datadog/lambda-extension:65"},
		"arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Python313-ARM:65":  {"Datadog (tracer)", ""},
		"arn:aws:lambda:us-east-1:451483290750:layer:NewRelicDotnet:3":             {"New Relic", ""},
		"arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:53":   {"AWS Lambda Insights", ""},
		"arn:aws:lambda:us-east-1:336392948345:layer:AWSSDKPandas-Python312:1":     {"AWS SDK for pandas", ""},
		"arn:aws:lambda:us-east-1:111111111111:layer:AWSSDKPandas-Python312:1":     {},
		"arn:aws:lambda:us-east-1:336392948345:layer:SomethingElse:1":              {},
		"arn:aws:lambda:us-east-1:336392948345:function:AWSSDKPandas-Python312":    {},
		"arn:aws:lambda:us-east-1:753240598075:layer:LambdaAdapterLayerX86:26":     {"AWS Lambda Web Adapter", ""},
		"arn:aws:lambda:us-east-1:267093732750:layer:elastic-apm-node-ver-4-0-0:1": {"Elastic APM", ""},
	} {
		v, image := all.Of(arn)
		if (v == nil) != (want[0] == "") || v != nil && v.Publisher != want[0] || image != want[1] {
			t.Errorf("%s: %+v %q", arn, v, image)
		}
	}
	for _, v := range all {
		if v.Publisher == "" || !strings.HasPrefix(v.Source, "https://") {
			t.Errorf("%+v", v)
		}
	}
	for _, v := range overlay.Vendors() {
		if v.Publisher == "" || !strings.HasPrefix(v.Source, "https://") || v.Repository == "" || len(v.Copies) == 0 {
			t.Errorf("%+v", v)
		}
	}
}
