package imagerules

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	image "github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// maxImage is the largest image, in bytes of all layers uncompressed
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxImage = 10 << 30

// verdictKey is a layer as a manifest names it.
type verdictKey struct {
	digest    v1.Hash
	diff      string
	mediaType image.MediaType
}

// verdict is what reading a layer has found.
type verdict struct {
	reason string // "" is fit
	size   int64  // uncompressed bytes of its files
}

// unsupportedLayer is how Lambda names a layer it can't read
// (github.com/aspect-build/rules_aws#145).
func unsupportedLayer(digest v1.Hash) string {
	return "ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest " + digest.String()
}

// missingParent is recorded in github.com/aws/aws-lambda-web-adapter#236.
func missingParent(name string) string {
	return "MissingParentDirectory: Parent directory does not exist for file: " + name
}

// Check finds what Lambda finds while it optimizes an image, the first defect
// only. Both results are "" when the image is fit.
func (r *Rules) Check(ctx context.Context, img wire.Image) (types.StateReasonCode, string) {
	path, manifest, err := r.manifest(img)
	if err != nil {
		return types.StateReasonCodeImageDeleted, fmt.Sprintf("The image %s was deleted.", img.Resolved)
	}
	if repo, ok := r.ecr.At(path); ok {
		if allowed, denied := mayPull(repo.Policy); denied || !allowed {
			return types.StateReasonCodeImageAccessDenied, "Lambda does not have permission to access the ECR image. Check the ECR permissions."
		}
	}
	config, err := r.config(path, manifest)
	if err != nil {
		return types.StateReasonCodeInvalidImage, "The image configuration can't be read: " + err.Error()
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return types.StateReasonCodeInvalidImage, fmt.Sprintf("The image configuration lists %d layers and the manifest %d.", len(config.RootFS.DiffIDs), len(manifest.Layers))
	}
	var total int64
	for i, layer := range manifest.Layers {
		found, err := r.layer(ctx, path, manifest.MediaType, layer, config.RootFS.DiffIDs[i])
		if err != nil {
			return types.StateReasonCodeInternalError, "The image could not be read: " + err.Error()
		}
		if found.reason != "" {
			return types.StateReasonCodeInvalidImage, found.reason
		}
		if total += found.size; total > maxImage {
			return types.StateReasonCodeInvalidImage, tooBig()
		}
	}
	return "", ""
}

func tooBig() string {
	return fmt.Sprintf("ImageSizeLimitExceeded: the uncompressed image is larger than %d bytes.", int64(maxImage))
}

// config reads the image's configuration.
func (r *Rules) config(path string, manifest *v1.Manifest) (*v1.ConfigFile, error) {
	blob, _, err := r.ecr.Registry().Blob(path, manifest.Config.Digest)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	var config v1.ConfigFile
	if err := json.NewDecoder(io.LimitReader(blob, 4<<20)).Decode(&config); err != nil {
		return nil, err
	}
	return &config, nil
}

// layer reads one layer, or remembers what it found the last time.
func (r *Rules) layer(ctx context.Context, path string, family image.MediaType, layer v1.Descriptor, diff v1.Hash) (verdict, error) {
	// One family throughout: mixed manifests are known from nobody who runs them.
	want := image.DockerLayer
	if family == image.OCIManifestSchema1 {
		want = image.OCILayer
	}
	if layer.MediaType != want {
		return verdict{reason: unsupportedLayer(layer.Digest)}, nil
	}
	key := verdictKey{layer.Digest, diff.String(), layer.MediaType}
	r.mu.Lock()
	known, ok := r.verdicts[key]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	blob, _, err := r.ecr.Registry().Blob(path, layer.Digest)
	if err != nil {
		return verdict{}, err
	}
	defer blob.Close()
	found, err := inspect(ctx, blob, layer.Digest, diff)
	if err != nil {
		return verdict{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verdicts[key] = found
	return found, nil
}

// inspect reads a layer's bytes. An error is that of the context: whatever is
// wrong with the layer is a verdict.
func inspect(ctx context.Context, blob io.Reader, digest, diff v1.Hash) (verdict, error) {
	unsupported := verdict{reason: unsupportedLayer(digest)}
	buffered := bufio.NewReaderSize(blob, 1<<16)
	// The media type promises gzip; plain tar and zstd are found out here.
	if head, err := buffered.Peek(2); err != nil || !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return unsupported, nil
	}
	zr, err := gzip.NewReader(buffered)
	if err != nil {
		return unsupported, nil
	}
	hash := sha256.New()
	content := io.TeeReader(zr, hash)
	found, err := entries(ctx, content, digest)
	if err != nil || found.reason != "" {
		return found, err
	}
	// The hash covers what follows the archive's end, too.
	if _, err := io.Copy(io.Discard, content); err != nil {
		return unsupported, nil
	}
	if hex.EncodeToString(hash.Sum(nil)) != diff.Hex {
		return unsupported, nil
	}
	return found, nil
}

// entries applies the rules to every entry: each has its parent directory before
// it in the same layer, and none is a hard link
// (github.com/aspect-build/rules_aws, aws/private/py_lambda.bzl; github.com/nlewo/nix2container#54).
func entries(ctx context.Context, content io.Reader, digest v1.Hash) (verdict, error) {
	dirs := map[string]bool{".": true, "/": true}
	var size int64
	tr := tar.NewReader(content)
	for {
		if err := ctx.Err(); err != nil {
			return verdict{}, err
		}
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return verdict{size: size}, nil
		}
		if err != nil {
			return verdict{reason: unsupportedLayer(digest)}, nil
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		if name == "" {
			continue // the root itself
		}
		if !dirs[path.Dir(name)] {
			return verdict{reason: missingParent(name)}, nil
		}
		switch h.Typeflag {
		case tar.TypeDir:
			dirs[name] = true
		case tar.TypeLink:
			return verdict{reason: unsupportedLayer(digest) + " (hard link " + name + ")"}, nil
		default:
			delete(dirs, name)
		}
		if size += h.Size; size > maxImage {
			return verdict{reason: tooBig()}, nil
		}
	}
}
