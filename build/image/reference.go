package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// refNameAnnotation names an image inside an OCI layout
// (https://github.com/opencontainers/image-spec/blob/main/annotations.md).
const refNameAnnotation = "org.opencontainers.image.ref.name"

// subject is what a reference stands for: one image, or an index of several.
type subject struct {
	reference string
	image     v1.Image      // nil for an index
	index     v1.ImageIndex // nil for an image
	layout    bool          // index is an OCI layout's list of contents, not an image index that was pushed
}

// Open reads an image from "oci:DIR[:TAG]", "docker:FILE.tar" or a registry
// reference. An index is an *IndexError, and so is a layout of several images.
//
// Layers are read lazily: ctx and what the reference names must outlive the use
// of the image. Without opts a registry is asked with the credentials that
// `docker login` left.
func Open(ctx context.Context, ref string, opts ...remote.Option) (v1.Image, error) {
	s, err := openSubject(ctx, ref, opts...)
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return s.image, nil
	}
	found, err := listImages(s.index)
	if err != nil {
		return nil, fmt.Errorf("read the index %s: %w", ref, err)
	}
	return nil, &IndexError{Reference: ref, Layout: s.layout, Images: describe(found)}
}

// IndexError says that a reference stands for several images where one is needed.
type IndexError struct {
	Reference string
	Layout    bool     // an OCI layout that holds several images
	Images    []string // "linux/amd64 sha256:…", one for each
}

func (e *IndexError) Error() string {
	held := strings.Join(e.Images, ", ")
	if held == "" {
		held = "none"
	}
	if e.Layout {
		return fmt.Sprintf("%s does not hold exactly one image (%s): name one as oci:DIR:TAG", e.Reference, held)
	}
	return fmt.Sprintf("%s is an index of several images (%s): Lambda takes a single-platform image, name one by its digest", e.Reference, held)
}

func openSubject(ctx context.Context, ref string, opts ...remote.Option) (*subject, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if dir, ok := strings.CutPrefix(ref, "oci:"); ok {
		return openLayout(ref, dir)
	}
	if file, ok := strings.CutPrefix(ref, "docker:"); ok {
		return openTarball(ref, file)
	}
	return openRemote(ctx, ref, opts...)
}

// openLayout opens an OCI layout. A path that ends in ":TAG" picks one image of
// several; a directory whose own name holds a colon wins over that reading.
func openLayout(ref, dir string) (*subject, error) {
	tag := ""
	if i := strings.LastIndexByte(dir, ':'); i > 0 && !isDir(dir) && isDir(dir[:i]) {
		dir, tag = dir[:i], dir[i+1:]
	}
	index, err := layout.ImageIndexFromPath(dir)
	if errors.Is(err, os.ErrNotExist) {
		if !isDir(dir) {
			return nil, fmt.Errorf("open %s: there is no directory %s", ref, dir)
		}
		return nil, fmt.Errorf("open %s: %s is no OCI image layout (it has no index.json)", ref, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("open %s: index.json: %w", ref, err)
	}
	list := manifest.Manifests
	if tag != "" {
		list = nil
		for _, d := range manifest.Manifests {
			if d.Annotations[refNameAnnotation] == tag {
				list = append(list, d)
			}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("open %s: no image there is named %q", ref, tag)
		}
	}
	if len(list) != 1 {
		return &subject{reference: ref, index: index, layout: true}, nil
	}
	switch d := list[0]; {
	case d.MediaType.IsIndex():
		child, err := index.ImageIndex(d.Digest)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		}
		return &subject{reference: ref, index: child}, nil
	case d.MediaType.IsImage():
		img, err := index.Image(d.Digest)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", ref, err)
		}
		return &subject{reference: ref, image: img}, nil
	default:
		return nil, fmt.Errorf("open %s: it holds a %q, which is no image", ref, d.MediaType)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func openTarball(ref, file string) (*subject, error) {
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil {
		return nil, fmt.Errorf("open %s as the output of `docker save`: %w", ref, err)
	}
	if len(manifest) != 1 {
		return nil, fmt.Errorf("open %s: the file holds %d images; save the one that is meant by itself", ref, len(manifest))
	}
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	return &subject{reference: ref, image: img}, nil
}

func openRemote(ctx context.Context, reference string, opts ...remote.Option) (*subject, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, fmt.Errorf("read the image reference %q: %w; it takes HOST/REPOSITORY:TAG, oci:DIR or docker:FILE.tar", reference, err)
	}
	desc, err := remote.Get(ref, remoteOptions(ctx, opts)...)
	if err != nil {
		return nil, explainRemote(reference, ref, err)
	}
	s := &subject{reference: reference}
	if desc.MediaType.IsIndex() {
		s.index, err = desc.ImageIndex()
	} else {
		s.image, err = desc.Image()
	}
	if err != nil {
		return nil, explainRemote(reference, ref, err)
	}
	return s, nil
}

func remoteOptions(ctx context.Context, opts []remote.Option) []remote.Option {
	if len(opts) == 0 {
		opts = []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	}
	return append([]remote.Option{remote.WithContext(ctx), remote.WithUserAgent("optlift")}, opts...)
}

// explainRemote adds what to do next to what the registry or the network said.
func explainRemote(reference string, ref name.Reference, err error) error {
	registry := ref.Context().RegistryStr()
	var refused *transport.Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound:
		return fmt.Errorf("there is no image %s (%w): check the repository and the tag, or name another image", reference, err)
	case errors.As(err, &refused) && (refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden):
		return fmt.Errorf("the registry %s did not let us read %s (%w): log in to it first", registry, reference, err)
	case errors.As(err, &refused) && refused.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("the registry %s has had too many requests (%w): wait a minute, or use a copy of %s elsewhere", registry, err, reference)
	case errors.As(err, &network):
		return fmt.Errorf("the registry %s can't be reached for %s (%w): check the network, or use a copy on disk as oci:DIR", registry, reference, err)
	default:
		return fmt.Errorf("read the image %s: %w", reference, err)
	}
}
