package bases

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// created is the date in every stand-in's configuration.
var created = v1.Time{Time: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}

// platforms maps Lambda's architectures to those of images.
var platforms = map[string]string{"x86_64": "amd64", "arm64": "arm64"}

// Architectures lists the ones a base comes for, in Lambda's words.
func (b Base) Architectures() []string {
	if b.X86Only {
		return []string{"x86_64"}
	}
	return []string{"x86_64", "arm64"}
}

// part is one image layer before it is packed.
type part struct {
	key   string
	files []file
}

// Image makes the stand-in for one architecture, "x86_64" or "arm64".
func (b Base) Image(architecture string) (v1.Image, error) {
	return b.image(newPacker(), architecture)
}

func (b Base) image(p *packer, architecture string) (v1.Image, error) {
	arch, ok := platforms[architecture]
	if !ok || b.X86Only && arch != "amd64" {
		return nil, fmt.Errorf("base image %s:%s has no %s variant", b.Repository, b.Tag, architecture)
	}
	manifestType, configType, layerType := types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer
	if b.Family == OCI {
		manifestType, configType, layerType = types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer
	}
	parts := []part{{b.OS + " " + arch, system(b.OS, arch)}}
	if !b.Custom() {
		parts = append(parts, part{b.Runtime, language(b)})
	}
	var adds []mutate.Addendum
	for i, layer := range parts {
		content, err := p.pack(layer.key, layer.files)
		if err != nil {
			return nil, fmt.Errorf("make base image %s:%s: %w", b.Repository, b.Tag, err)
		}
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content)), nil
		}, tarball.WithMediaType(layerType))
		if err != nil {
			return nil, fmt.Errorf("make base image %s:%s: %w", b.Repository, b.Tag, err)
		}
		adds = append(adds, mutate.Addendum{
			Layer: layer, MediaType: layerType,
			History: v1.History{Created: created, CreatedBy: fmt.Sprintf("stand-in part %d of %s:%s", i+1, b.Repository, b.Tag)},
		})
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, manifestType), configType)
	img, err := mutate.ConfigFile(img, &v1.ConfigFile{
		Architecture: arch, OS: "linux", Created: created,
		Config: b.config(), RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.Append(img, adds...)
}

// config is the configuration of AWS's own images: no Cmd and no User
// (github.com/aws/aws-lambda-base-images, the Dockerfile of every branch).
func (b Base) config() v1.Config {
	env := []string{
		"LANG=en_US.UTF-8",
		"TZ=:/etc/localtime",
		"PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
		"LAMBDA_TASK_ROOT=/var/task",
		"LAMBDA_RUNTIME_DIR=/var/runtime",
	}
	if strings.HasPrefix(b.Runtime, "dotnet") {
		env = append(env, "DOTNET_ROOT=/var/lang/bin", "DOTNET_VERSION="+b.Tag+".0",
			"DOTNET_RUNNING_IN_CONTAINER=true", "DOTNET_NOLOGO=true", "DOTNET_CLI_TELEMETRY_OPTOUT=true")
	}
	return v1.Config{Env: env, WorkingDir: "/var/task", Entrypoint: []string{"/lambda-entrypoint.sh"}}
}

// Index makes the list of all architectures that the plain tag stands for.
func (b Base) Index() (v1.ImageIndex, error) { return b.index(newPacker()) }

func (b Base) index(p *packer) (v1.ImageIndex, error) {
	indexType := types.DockerManifestList
	if b.Family == OCI {
		indexType = types.OCIImageIndex
	}
	index := mutate.IndexMediaType(empty.Index, indexType)
	for _, architecture := range b.Architectures() {
		img, err := b.image(p, architecture)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: platforms[architecture]}},
		})
	}
	return index, nil
}
