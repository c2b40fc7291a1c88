package image

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// DefaultBaseRegistry holds AWS's own base images
// (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html).
const DefaultBaseRegistry = "public.ecr.aws/lambda"

// Base is a base image pinned to one platform's digest.
type Base struct {
	Reference string // as asked for, with its tag
	Digest    v1.Hash
	Image     v1.Image
	Platform  v1.Platform
	MediaType types.MediaType
}

// PlatformFor returns the image platform of a Lambda architecture, "x86_64" or
// "arm64" (https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html).
func PlatformFor(architecture string) (v1.Platform, error) {
	switch architecture {
	case "x86_64":
		return v1.Platform{OS: "linux", Architecture: "amd64"}, nil
	case "arm64":
		return v1.Platform{OS: "linux", Architecture: "arm64"}, nil
	default:
		return v1.Platform{}, fmt.Errorf("architecture %q is none of Lambda's: it takes x86_64 or arm64", architecture)
	}
}

// ResolveBase resolves a registry reference or "oci:DIR" to the image of one
// Lambda architecture ("x86_64" or "arm64") and checks the image's own
// configuration against it: the labels of an index are not trusted alone.
//
// The image's layers are read lazily, with ctx; see Open.
func ResolveBase(ctx context.Context, reference, architecture string, opts ...remote.Option) (*Base, error) {
	platform, err := PlatformFor(architecture)
	if err != nil {
		return nil, err
	}
	s, err := openSubject(ctx, reference, opts...)
	if err != nil {
		return nil, fmt.Errorf("resolve the base image: %w", err)
	}
	img := s.image
	if img == nil {
		if img, err = pick(s, platform); err != nil {
			return nil, fmt.Errorf("resolve the base image: %w", err)
		}
	}
	return newBase(reference, architecture, platform, img)
}

func newBase(reference, architecture string, platform v1.Platform, img v1.Image) (*Base, error) {
	b := &Base{Reference: reference, Image: img, Platform: platform}
	var err error
	if b.Digest, err = img.Digest(); err != nil {
		return nil, fmt.Errorf("read the manifest of the base image %s: %w", reference, err)
	}
	if b.MediaType, err = img.MediaType(); err != nil {
		return nil, fmt.Errorf("read the manifest of the base image %s: %w", reference, err)
	}
	if !b.MediaType.IsImage() {
		return nil, fmt.Errorf("the base image %s has a manifest of type %q, which is no image that Lambda takes: push it again with a current tool", reference, b.MediaType)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the configuration of the base image %s: %w", reference, err)
	}
	switch {
	case config.OS == "" || config.Architecture == "":
		return nil, fmt.Errorf("the configuration of the base image %s does not say its os and architecture: build it again with --platform %s", reference, platform)
	case config.OS != platform.OS || config.Architecture != platform.Architecture:
		return nil, fmt.Errorf("the base image %s is for %s/%s, but the function's architecture is %s (%s): name a base image for it with --base",
			reference, config.OS, config.Architecture, architecture, platform)
	}
	return b, nil
}

// listed is an image of an index.
type listed struct {
	descriptor v1.Descriptor
	open       func() (v1.Image, error)
}

// maxIndexDepth bounds indexes within indexes. Tools make two levels: an OCI
// layout's contents, and a pushed index in it.
const maxIndexDepth = 4

// listImages returns the images of an index and of the indexes in it. Build
// attestations, which are kept in the guise of images, are left out
// (https://docs.docker.com/build/metadata/attestations/attestation-storage/).
func listImages(index v1.ImageIndex) ([]listed, error) {
	return appendImages(nil, index, maxIndexDepth)
}

func appendImages(list []listed, index v1.ImageIndex, depth int) ([]listed, error) {
	if depth == 0 {
		return nil, fmt.Errorf("indexes lie within indexes more than %d deep", maxIndexDepth)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, d := range manifest.Manifests {
		switch {
		case d.MediaType.IsIndex():
			child, err := index.ImageIndex(d.Digest)
			if err != nil {
				return nil, err
			}
			if list, err = appendImages(list, child, depth-1); err != nil {
				return nil, err
			}
		case d.MediaType.IsImage() && !attestation(d):
			list = append(list, listed{d, func() (v1.Image, error) { return index.Image(d.Digest) }})
		}
	}
	return list, nil
}

func attestation(d v1.Descriptor) bool {
	return d.Annotations["vnd.docker.reference.type"] != "" || d.Platform != nil && d.Platform.OS == "unknown"
}

func describe(list []listed) []string {
	var out []string
	for _, l := range list {
		platform := "platform not stated"
		if l.descriptor.Platform != nil {
			platform = l.descriptor.Platform.String()
		}
		out = append(out, platform+" "+l.descriptor.Digest.String())
	}
	return out
}

// pick chooses the one image of an index that is for platform. Where the index
// does not say an image's platform, its configuration is asked.
func pick(s *subject, platform v1.Platform) (v1.Image, error) {
	list, err := listImages(s.index)
	if err != nil {
		return nil, fmt.Errorf("read the index %s: %w", s.reference, err)
	}
	var fits []listed
	for _, l := range list {
		p := l.descriptor.Platform
		if p == nil {
			img, err := l.open()
			if err != nil {
				return nil, fmt.Errorf("read %s of the index %s: %w", l.descriptor.Digest, s.reference, err)
			}
			config, err := img.ConfigFile()
			if err != nil {
				return nil, fmt.Errorf("read the configuration of %s of the index %s: %w", l.descriptor.Digest, s.reference, err)
			}
			p = &v1.Platform{OS: config.OS, Architecture: config.Architecture}
		}
		if p.OS == platform.OS && p.Architecture == platform.Architecture {
			fits = append(fits, l)
		}
	}
	// The same image may be listed twice, under two names.
	fits = slices.CompactFunc(fits, func(a, b listed) bool { return a.descriptor.Digest == b.descriptor.Digest })
	switch len(fits) {
	case 1:
		img, err := fits[0].open()
		if err != nil {
			return nil, fmt.Errorf("read %s of the index %s: %w", fits[0].descriptor.Digest, s.reference, err)
		}
		return img, nil
	case 0:
		return nil, fmt.Errorf("%s holds no image for %s; it holds: %s. Name another with --base", s.reference, platform, orNone(describe(list)))
	default:
		return nil, fmt.Errorf("%s holds %d images for %s (%s): name one by its digest, or by its tag as oci:DIR:TAG",
			s.reference, len(fits), platform, strings.Join(describe(fits), ", "))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
