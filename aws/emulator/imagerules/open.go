package imagerules

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/emulator/rootfs"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Open unpacks an accepted image for running it. The tree must be closed.
func (r *Rules) Open(ctx context.Context, img wire.Image) (*rootfs.Tree, *v1.ConfigFile, error) {
	path, manifest, err := r.manifest(img)
	if err != nil {
		return nil, nil, fmt.Errorf("open image %s: %w", img.Resolved, err)
	}
	config, err := r.config(path, manifest)
	if err != nil {
		return nil, nil, fmt.Errorf("open image %s: %w", img.Resolved, err)
	}
	var layers []func() (io.ReadCloser, error)
	for _, layer := range manifest.Layers {
		layers = append(layers, func() (io.ReadCloser, error) {
			blob, _, err := r.ecr.Registry().Blob(path, layer.Digest)
			if err != nil {
				return nil, err
			}
			zr, err := gzip.NewReader(blob)
			if err != nil {
				return nil, errors.Join(err, blob.Close())
			}
			return unzipped{zr, blob}, nil
		})
	}
	dir, err := r.ecr.Registry().Dir()
	if err != nil {
		return nil, nil, fmt.Errorf("open image %s: %w", img.Resolved, err)
	}
	tree, err := rootfs.FromLayers(ctx, dir, layers...)
	if err != nil {
		return nil, nil, fmt.Errorf("open image %s: %w", img.Resolved, err)
	}
	return tree, config, nil
}

// unzipped closes the blob below the gzip reader as well.
type unzipped struct {
	*gzip.Reader
	blob io.Closer
}

func (u unzipped) Close() error { return errors.Join(u.Reader.Close(), u.blob.Close()) }
