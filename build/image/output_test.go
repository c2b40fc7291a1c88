package image

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestParseOutput(t *testing.T) {
	for in, want := range map[string]Output{
		"oci:out": {"oci", "out"}, "oci:/a:b": {"oci", "/a:b"}, "docker:f.tar": {"docker", "f.tar"},
		"push": {"push", ""}, "push:repo": {"push", "repo"}, "push:team/repo:v1": {"push", "team/repo:v1"},
	} {
		if got, err := ParseOutput(in); err != nil || got != want {
			t.Errorf("%q is %+v, %v", in, got, err)
		} else if got.String() != in {
			t.Errorf("%q is told as %q", in, got)
		}
	}
	for _, in := range []string{"", "oci", "oci:", "docker", "docker:", "tar:x", "out"} {
		if got, err := ParseOutput(in); err == nil {
			t.Errorf("%q is %+v", in, got)
		}
	}
}

func TestWriteOCI(t *testing.T) {
	for name, kin := range families {
		t.Run(name, func(t *testing.T) {
			req := request(t, kin)
			built := mustBuild(t, req)
			out := filepath.Join(t.TempDir(), "deep", "out")
			if err := WriteOCI(context.Background(), built.Image, out, "v1"); err != nil {
				t.Fatal(err)
			}
			for _, ref := range []string{"oci:" + out, "oci:" + out + ":v1"} {
				back, err := Open(context.Background(), ref)
				if err != nil {
					t.Fatal(err)
				}
				if digest(t, back) != digest(t, built.Image) {
					t.Errorf("%s has another digest", ref)
				}
				if err := validate.Image(back); err != nil {
					t.Error(err)
				}
				findings, err := LintReference(context.Background(), ref)
				if err != nil || len(findings) > 0 {
					t.Errorf("lint: %+v, %v", findings, err)
				}
				proof, err := Prove(context.Background(), back, req.Layers, &req.Code)
				if err != nil || !proof.Equal {
					t.Errorf("proof: %+v, %v", proof, err)
				}
			}
			if _, err := Open(context.Background(), "oci:"+out+":v2"); err == nil || !strings.Contains(err.Error(), "v2") {
				t.Errorf("another tag: %v", err)
			}
			index, err := layout.ImageIndexFromPath(out)
			if err != nil {
				t.Fatal(err)
			}
			manifest, _ := index.IndexManifest()
			if len(manifest.Manifests) != 1 || manifest.Manifests[0].MediaType != kin.manifest || manifest.Manifests[0].Annotations[refNameAnnotation] != "v1" {
				t.Errorf("index: %+v", manifest)
			}
			checkModes(t, out)
			if left := entries(t, filepath.Dir(out)); !cmp.Equal(left, []string{"out"}) {
				t.Errorf("left beside it: %v", left)
			}
		})
	}
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]os.FileMode{true: 0o755, false: 0o644}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", p, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteOCINeverOverwrites(t *testing.T) {
	img, other := good(t, ociFamily), good(t, dockerFamily)
	ctx := context.Background()
	parent := t.TempDir()
	out := filepath.Join(parent, "out")
	if err := os.Mkdir(out, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteOCI(ctx, img, out, ""); err != nil {
		t.Fatalf("an empty directory: %v", err)
	}
	if err := WriteOCI(ctx, img, out, ""); err != nil {
		t.Errorf("the same image again: %v", err)
	}
	if err := WriteOCI(ctx, other, out, ""); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("another image: %v", err)
	}
	back, err := Open(ctx, "oci:"+out)
	if err != nil || digest(t, back) != digest(t, img) {
		t.Errorf("the first image is gone: %v", err)
	}
	// A damaged copy of the same image is not what was asked for.
	manifest, _ := img.Manifest()
	blob := filepath.Join(out, "blobs", "sha256", manifest.Layers[2].Digest.Hex)
	b, err := os.ReadFile(blob)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(blob, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteOCI(ctx, img, out, ""); err == nil {
		t.Error("a damaged copy was taken for the image")
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteOCI(ctx, img, file, ""); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("a file: %v", err)
	}
	full := filepath.Join(parent, "full")
	if err := os.MkdirAll(filepath.Join(full, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteOCI(ctx, img, full, ""); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a full directory: %v", err)
	}
	if left := entries(t, parent); !cmp.Equal(left, []string{"file", "full", "out"}) {
		t.Errorf("left: %v", left)
	}
}

func TestWriteTarball(t *testing.T) {
	for name, kin := range families {
		t.Run(name, func(t *testing.T) {
			req := request(t, kin)
			built := mustBuild(t, req)
			file := filepath.Join(t.TempDir(), "deep", "image.tar")
			for range 2 { // an existing file is replaced
				if err := WriteTarball(context.Background(), built.Image, file, ""); err != nil {
					t.Fatal(err)
				}
			}
			back, err := Open(context.Background(), "docker:"+file)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := built.Image.ConfigName()
			if got, _ := back.ConfigName(); got != want {
				t.Errorf("configuration %s, want %s", got, want)
			}
			findings, err := LintReference(context.Background(), "docker:"+file)
			if err != nil || len(findings) > 0 {
				t.Errorf("lint: %+v, %v", findings, err)
			}
			proof, err := Prove(context.Background(), back, req.Layers, &req.Code)
			if err != nil || !proof.Equal {
				t.Errorf("proof: %+v, %v", proof, err)
			}
			if left := entries(t, filepath.Dir(file)); !cmp.Equal(left, []string{"image.tar"}) {
				t.Errorf("left beside it: %v", left)
			}
		})
	}
	if err := WriteTarball(context.Background(), good(t, ociFamily), t.TempDir(), ""); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
	if err := WriteTarball(context.Background(), good(t, ociFamily), filepath.Join(t.TempDir(), "f"), "No Tag"); err == nil {
		t.Error("a bad tag was taken")
	}
}

// stopping is an image whose layers end the context when they are read.
type stopping struct {
	v1.Image
	stop func()
}

type stoppingLayer struct {
	v1.Layer
	stop func()
}

func (s *stopping) Layers() ([]v1.Layer, error) {
	layers, err := s.Image.Layers()
	for i := range layers {
		layers[i] = &stoppingLayer{layers[i], s.stop}
	}
	return layers, err
}

func (s *stoppingLayer) Compressed() (io.ReadCloser, error) {
	s.stop()
	return s.Layer.Compressed()
}

func TestWritersStopAndLeaveNothing(t *testing.T) {
	for name, write := range map[string]func(context.Context, v1.Image, string) error{
		"oci":    func(ctx context.Context, img v1.Image, to string) error { return WriteOCI(ctx, img, to, "") },
		"docker": func(ctx context.Context, img v1.Image, to string) error { return WriteTarball(ctx, img, to, "") },
	} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		parent := t.TempDir()
		err := write(ctx, &stopping{good(t, ociFamily), cancel}, filepath.Join(parent, "out"))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if left := entries(t, parent); len(left) > 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}

func TestTrackedCountsTheBytes(t *testing.T) {
	img := good(t, ociFamily)
	var mu sync.Mutex
	var last Progress
	watched, err := Tracked(context.Background(), img, func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Done < last.Done {
			t.Errorf("%d after %d", p.Done, last.Done)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteOCI(context.Background(), watched, filepath.Join(t.TempDir(), "out"), ""); err != nil {
		t.Fatal(err)
	}
	if want, _ := compressedSize(img); last.Stage != StageWrite || last.Done != want || last.Total != want {
		t.Errorf("ended at %+v, want %d bytes", last, want)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	host := serve(t)
	dir := t.TempDir()
	several := filepath.Join(dir, "several")
	if _, err := layout.Write(several, imageIndex(t)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{
		"oci:" + dir + "/none": "there is no directory",
		"oci:" + dir:           "no OCI image layout",
		"oci:" + several:       "oci:DIR:TAG",
		"docker:" + file:       "docker save",
		"docker:" + dir + "/x": "no such file",
		host + "/none:1":       "there is no image",
		"UPPER CASE":           "HOST/REPOSITORY:TAG",
		"localhost:1/x:1":      "can't be reached",
	} {
		if _, err := Open(context.Background(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, host+"/none:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func imageIndex(t *testing.T) v1.ImageIndex {
	return indexOf(types.OCIImageIndex,
		forPlatform(good(t, ociFamily), "linux", "amd64"), forPlatform(good(t, dockerFamily), "linux", "arm64"))
}
