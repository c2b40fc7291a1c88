package image

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Output is where an image goes: "oci:DIR", "docker:FILE.tar" or "push[:REPO[:TAG]]".
type Output struct {
	Kind   string // "oci", "docker", "push"
	Target string
}

// String is what ParseOutput reads.
func (o Output) String() string {
	if o.Target == "" {
		return o.Kind
	}
	return o.Kind + ":" + o.Target
}

// ParseOutput reads the -o flag.
func ParseOutput(s string) (Output, error) {
	kind, target, _ := strings.Cut(s, ":")
	switch {
	case kind == "push":
		return Output{kind, target}, nil
	case (kind == "oci" || kind == "docker") && target != "":
		return Output{kind, target}, nil
	default:
		return Output{}, fmt.Errorf("%q is no output: it takes oci:DIR, docker:FILE.tar or push[:REPOSITORY[:TAG]]", s)
	}
}

// defaultTag names an image for which no tag is given, as other tools do.
const defaultTag = "latest"

// WriteOCI writes img as an OCI layout under the name tag ("" is "latest"),
// atomically: dir appears whole or not at all.
//
// What is in dir already is never touched: a directory that is not empty is
// refused, unless it is an OCI layout of exactly this image and nothing else,
// which is checked byte by byte and then is what was asked for.
func WriteOCI(ctx context.Context, img v1.Image, dir, tag string) error {
	if tag == "" {
		tag = defaultTag
	}
	dir = filepath.Clean(dir)
	if done, err := vacant(ctx, img, dir); err != nil || done {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	part, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	defer os.RemoveAll(part) // does nothing once it has its final name
	if err := os.Chmod(part, 0o755); err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	path, err := layout.Write(part, empty.Index)
	if err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	err = path.AppendImage(tracked(ctx, img, nil), layout.WithAnnotations(map[string]string{refNameAnnotation: tag}))
	if err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	if err := readable(part); err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// An empty directory of that name gives way; a file or a full one does not.
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	if err := os.Rename(part, dir); err != nil {
		return fmt.Errorf("write the OCI layout %s: %w", dir, err)
	}
	return nil
}

// readable gives a layout's files the modes that a plain create would have:
// temporary files that are renamed keep 0600.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(p, 0o755)
		}
		return os.Chmod(p, 0o644)
	})
}

// vacant checks that dir can be made: it is not there, or empty. done says that
// it holds img already.
func vacant(ctx context.Context, img v1.Image, dir string) (done bool, err error) {
	found, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil && !isDir(dir):
		return false, fmt.Errorf("write the OCI layout %s: that is no directory: remove it, or name another", dir)
	case err != nil:
		return false, fmt.Errorf("write the OCI layout %s: %w", dir, err)
	case len(found) == 0:
		return false, nil
	}
	if same, err := holdsExactly(ctx, dir, img); err != nil {
		return false, err
	} else if same {
		return true, nil
	}
	return false, fmt.Errorf("write the OCI layout %s: the directory is not empty: remove it, or name another", dir)
}

// holdsExactly reports whether dir is an undamaged OCI layout of img and nothing else.
func holdsExactly(ctx context.Context, dir string, img v1.Image) (bool, error) {
	want, err := img.Digest()
	if err != nil {
		return false, err
	}
	s, err := openLayout("oci:"+dir, dir)
	if err != nil || s.image == nil {
		return false, nil // something else
	}
	if got, err := s.image.Digest(); err != nil || got != want {
		return false, nil
	}
	read, err := new(scanner).scan(ctx, s.image)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, nil
	}
	config, _, err := v1.SHA256(strings.NewReader(string(read.rawConfig)))
	if err != nil || config != read.manifest.Config.Digest {
		return false, nil
	}
	for _, l := range read.layers {
		if l.read != l.digest {
			return false, nil
		}
	}
	return true, nil
}

// WriteTarball writes img for `docker load` and `podman load` under the name tag
// ("NAME:TAG"; "" is "optlift:latest"), atomically. An existing file is replaced.
//
// The format holds no manifest: whoever loads it makes one, and with it another
// digest.
func WriteTarball(ctx context.Context, img v1.Image, file, tag string) error {
	if tag == "" {
		tag = "optlift:" + defaultTag
	}
	ref, err := name.NewTag(tag)
	if err != nil {
		return fmt.Errorf("name the image in %s: %w", file, err)
	}
	if isDir(file) {
		return fmt.Errorf("write the image to %s: that is a directory: name a file", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write the image to %s: %w", file, err)
	}
	part, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return fmt.Errorf("write the image to %s: %w", file, err)
	}
	defer os.Remove(part.Name())
	defer part.Close()
	out := bufio.NewWriterSize(part, 256<<10)
	err = tarball.Write(ref, tracked(ctx, img, nil), out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = part.Chmod(0o644)
	}
	if err == nil {
		err = part.Close()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write the image to %s: %w", file, err)
	}
	return nil
}

// Tracked returns img with layers whose compressed bytes report to progress as
// they are read, from several goroutines, and end when ctx does. It is how the
// writing of an image is watched and stopped.
func Tracked(ctx context.Context, img v1.Image, progress func(Progress)) (v1.Image, error) {
	if progress == nil {
		return tracked(ctx, img, nil), nil
	}
	total, err := compressedSize(img)
	if err != nil {
		return nil, err
	}
	return tracked(ctx, img, counted(StageWrite, total, progress)), nil
}

func compressedSize(img v1.Image) (int64, error) {
	manifest, err := img.Manifest()
	if err != nil {
		return 0, fmt.Errorf("read the image's manifest: %w", err)
	}
	total := int64(0)
	for _, d := range manifest.Layers {
		total += d.Size
	}
	return total, nil
}

func tracked(ctx context.Context, img v1.Image, progress func(int64)) v1.Image {
	return &trackedImage{img, ctx, progress}
}

type trackedImage struct {
	v1.Image
	ctx      context.Context
	progress func(int64)
}

func (t *trackedImage) Layers() ([]v1.Layer, error) {
	layers, err := t.Image.Layers()
	if err != nil {
		return nil, err
	}
	out := make([]v1.Layer, len(layers))
	for i, l := range layers {
		out[i] = &trackedLayer{l, t}
	}
	return out, nil
}

type trackedLayer struct {
	v1.Layer
	image *trackedImage
}

func (t *trackedLayer) Compressed() (io.ReadCloser, error) {
	rc, err := t.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	return &trackedReader{cancelable{t.image.ctx, rc}, rc, t.image.progress}, nil
}

type trackedReader struct {
	cancelable
	closer   io.Closer
	progress func(int64)
}

func (t *trackedReader) Read(p []byte) (int, error) {
	n, err := t.cancelable.Read(p)
	if n > 0 && t.progress != nil {
		t.progress(int64(n))
	}
	return n, err
}

func (t *trackedReader) Close() error { return t.closer.Close() }
