package bases

import (
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/emulator/oci"
)

// Publish puts every base into public repositories of a registry: the list under
// "22", its images under "22-x86_64" and "22-arm64".
func Publish(reg *oci.Registry) error {
	p := newPacker()
	for _, b := range All() {
		reg.CreatePublic(b.Repository)
		index, err := b.index(p)
		if err != nil {
			return err
		}
		manifest, err := index.IndexManifest()
		if err != nil {
			return err
		}
		for i, d := range manifest.Manifests {
			img, err := index.Image(d.Digest)
			if err != nil {
				return err
			}
			if err := PushImage(reg, b.Repository, b.Tag+"-"+b.Architectures()[i], img); err != nil {
				return err
			}
		}
		raw, err := index.RawManifest()
		if err != nil {
			return err
		}
		if _, err := reg.PutManifest(b.Repository, b.Tag, string(manifest.MediaType), raw); err != nil {
			return fmt.Errorf("publish base image %s:%s: %w", b.Repository, b.Tag, err)
		}
	}
	return nil
}

// PushImage stores a small image made by code, without going through HTTP.
func PushImage(reg *oci.Registry, repository, tag string, img v1.Image) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := putLayer(reg, repository, l); err != nil {
			return fmt.Errorf("store image %s:%s: %w", repository, tag, err)
		}
	}
	config, err := img.RawConfigFile()
	if err != nil {
		return err
	}
	if _, err := reg.PutSmall(repository, config); err != nil {
		return err
	}
	mediaType, err := img.MediaType()
	if err != nil {
		return err
	}
	raw, err := img.RawManifest()
	if err != nil {
		return err
	}
	_, err = reg.PutManifest(repository, tag, string(mediaType), raw)
	return err
}

func putLayer(reg *oci.Registry, repository string, l v1.Layer) error {
	rc, err := l.Compressed()
	if err != nil {
		return err
	}
	defer rc.Close()
	content, err := io.ReadAll(rc)
	if err != nil {
		return err
	}
	_, err = reg.PutSmall(repository, content)
	return err
}
