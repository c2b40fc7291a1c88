package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// blobLayer is an image layer of given bytes. What it says of itself may be lies.
type blobLayer struct {
	blob           []byte
	digest, diffID v1.Hash
	mediaType      types.MediaType
}

func (l *blobLayer) Digest() (v1.Hash, error)            { return l.digest, nil }
func (l *blobLayer) DiffID() (v1.Hash, error)            { return l.diffID, nil }
func (l *blobLayer) Size() (int64, error)                { return int64(len(l.blob)), nil }
func (l *blobLayer) MediaType() (types.MediaType, error) { return l.mediaType, nil }
func (l *blobLayer) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.blob)), nil
}
func (l *blobLayer) Uncompressed() (io.ReadCloser, error) { panic("nobody unpacks it this way") }

func hashOf(b []byte) v1.Hash {
	sum := sha256.Sum256(b)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

// tarOf writes headers with bodies; a zero mode becomes the usual one.
func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := f.Header
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			if strings.HasSuffix(h.Name, "/") {
				h.Typeflag = tar.TypeDir
			}
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		h.Size = int64(len(f.body))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type file struct {
	tar.Header
	body string
}

func dir(name string) file { return file{Header: tar.Header{Name: name + "/"}} }
func text(name, body string) file {
	return file{Header: tar.Header{Name: name}, body: body}
}
func program(name, body string) file {
	return file{Header: tar.Header{Name: name, Mode: 0o755}, body: body}
}
func link(name, target string) file {
	return file{Header: tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeSymlink, Mode: 0o777}}
}
func hardLink(name, target string) file {
	return file{Header: tar.Header{Name: name, Linkname: target, Typeflag: tar.TypeLink}}
}
func (f file) with(change func(*tar.Header)) file { change(&f.Header); return f }

// plainLayer is a gzip layer of files.
func plainLayer(t testing.TB, kin family, files ...file) *blobLayer {
	return tarLayer(kin, tarOf(t, files...))
}

func tarLayer(kin family, plain []byte) *blobLayer {
	blob := zipped(plain)
	return &blobLayer{blob, hashOf(blob), hashOf(plain), kin.layer}
}

// imageOf makes an image without any help from what is tested.
func imageOf(t testing.TB, kin family, config v1.ConfigFile, layers ...v1.Layer) v1.Image {
	t.Helper()
	config.RootFS.Type = "layers"
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, kin.manifest), kin.config)
	img, err := mutate.ConfigFile(img, &config)
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.AppendLayers(img, layers...); err != nil {
		t.Fatal(err)
	}
	cf, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cf.History = config.History // AppendLayers adds empty entries
	if img, err = mutate.ConfigFile(img, cf); err != nil {
		t.Fatal(err)
	}
	return img
}

// awsConfig is the configuration that AWS's base images have.
func awsConfig(architecture string) v1.ConfigFile {
	return v1.ConfigFile{
		OS: "linux", Architecture: architecture,
		Config: v1.Config{
			Entrypoint: []string{lambdaEntrypoint},
			WorkingDir: "/var/task",
			Env:        []string{"LANG=en_US.UTF-8", "PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime"},
			Labels:     map[string]string{"maker": "base"},
		},
		History: []v1.History{
			{CreatedBy: "ADD rootfs.tar.xz /"},
			{CreatedBy: "ADD runtime.tar.xz /"},
			{CreatedBy: "ENV LAMBDA_RUNTIME_DIR=/var/runtime", EmptyLayer: true},
			{CreatedBy: `ENTRYPOINT ["/lambda-entrypoint.sh"]`, EmptyLayer: true},
		},
	}
}

// awsBase is like AWS's base images, with things in its layers that Lambda takes
// from AWS and would not from others.
func awsBase(t testing.TB, kin family, architecture string) v1.Image {
	return imageOf(t, kin, awsConfig(architecture),
		plainLayer(t, kin, dir("usr"), dir("usr/bin"), program("usr/bin/perl", "perl"), hardLink("usr/bin/perl5", "usr/bin/perl"),
			link("bin", "usr/bin"), text("etc/shadow", "root").with(func(h *tar.Header) { h.Mode = 0o600 }),
			dir("opt"), dir("var"), dir("var/task")),
		plainLayer(t, kin, program("lambda-entrypoint.sh", "#!/bin/sh\n"), dir("var"), dir("var/runtime"), program("var/runtime/bootstrap", "node")),
	)
}

// osBase is like provided:al2023: no runtime.
func osBase(t testing.TB, kin family) v1.Image {
	return imageOf(t, kin, awsConfig("amd64"),
		plainLayer(t, kin, dir("opt"), dir("var"), dir("var/task")),
		plainLayer(t, kin, program("lambda-entrypoint.sh", "#!/bin/sh\n"), dir("var"), dir("var/runtime")),
	)
}

// serve starts a registry and returns its host.
func serve(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1)
}

func push(t testing.TB, ref string, img v1.Image) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
}

func pushIndex(t testing.TB, ref string, kind types.MediaType, adds ...mutate.IndexAddendum) {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(r, mutate.IndexMediaType(mutate.AppendManifests(empty.Index, adds...), kind)); err != nil {
		t.Fatal(err)
	}
}

func forPlatform(img v1.Image, os, architecture string) mutate.IndexAddendum {
	add := mutate.IndexAddendum{Add: img}
	if os != "" {
		add.Platform = &v1.Platform{OS: os, Architecture: architecture}
	}
	return add
}

// source makes an archive of entries.
func source(t testing.TB, name string, entries ...ziptest.Entry) layer.Source {
	t.Helper()
	b := ziptest.Bytes(entries...)
	d, err := zipdir.Read(name, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return layer.Source{Name: name, Dir: d, SHA256: hashOf(b).Hex}
}

func openStore(t testing.TB) *layer.Store {
	t.Helper()
	s, err := layer.OpenStore(t.TempDir(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request is a build on a fake of nodejs:22 in a registry of its own.
func request(t testing.TB, kin family) Request {
	t.Helper()
	host := serve(t)
	push(t, host+"/lambda/nodejs:22", awsBase(t, kin, "amd64"))
	push(t, host+"/lambda/provided:al2023", osBase(t, kin))
	return Request{
		Runtime: "nodejs22.x", Handler: "index.handler", Architecture: "x86_64",
		BaseRegistry: host + "/lambda",
		Layers: []layer.Source{
			source(t, "one.zip", ziptest.Dir("nodejs"), ziptest.File("nodejs/a.js", "a1").Deflated(), ziptest.File("bin/tool", "tool").Perm(0o750)),
			source(t, "two.zip", ziptest.File("nodejs/a.js", "a2"), ziptest.File("extensions/agent", "agent").DOS(), ziptest.Link("nodejs/b.js", "a.js")),
		},
		Code:  source(t, "/somewhere/code.zip", ziptest.File("index.js", "exports.handler = 1").Deflated(), ziptest.File("secret.txt", "s").Perm(0o600)),
		Store: openStore(t),
	}
}

func mustBuild(t testing.TB, req Request) *Built {
	t.Helper()
	built, err := Build(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

func digest(t testing.TB, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}
