package image

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/optlift/optlift/build/layer"
)

// Labels that every built image carries.
const (
	// The base, in the words of
	// https://github.com/opencontainers/image-spec/blob/main/annotations.md.
	LabelBaseName   = "org.opencontainers.image.base.name"
	LabelBaseDigest = "org.opencontainers.image.base.digest"
	// LabelBaseLayers is how many of the image's layers are the base's.
	LabelBaseLayers = "io.github.optlift.base.layers"
	// LabelRuntime is the runtime identifier the function had as a zip.
	LabelRuntime = "io.github.optlift.runtime"
	// LabelCodeSHA256 is the hex SHA-256 of the code's zip, where it is known.
	LabelCodeSHA256 = "io.github.optlift.code.sha256"
)

// Labels that a caller may add through Request.Labels. They hold account ids,
// which is why no build adds them by itself.
const (
	LabelFunction = "io.github.optlift.function" // ARN
	LabelLayers   = "io.github.optlift.layers"   // ARNs, separated by commas, in order
)

// family is the set of media types that an image's parts share. Lambda takes
// Docker's and OCI's (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html);
// mixing them is not known to be taken.
type family struct{ manifest, config, layer types.MediaType }

var (
	dockerFamily = family{types.DockerManifestSchema2, types.DockerConfigJSON, types.DockerLayer}
	ociFamily    = family{types.OCIManifestSchema1, types.OCIConfigJSON, types.OCILayer}
)

func familyOf(manifest types.MediaType) family {
	if manifest == types.DockerManifestSchema2 {
		return dockerFamily
	}
	return ociFamily
}

// addition is an image layer to put on a base.
type addition struct {
	layer     v1.Layer // under the base's family
	createdBy string
}

// settings are what the configuration of a composed image gets.
type settings struct {
	handler string
	created time.Time
	labels  map[string]string
}

// compose puts layers and settings on a base. The base's layers, and all of its
// configuration that is not named here, stay as they are.
func compose(base *Base, adds []addition, set settings) (v1.Image, error) {
	fail := func(err error) (v1.Image, error) {
		return nil, fmt.Errorf("compose the image on %s: %w", base.Reference, err)
	}
	config, err := base.Image.ConfigFile()
	if err != nil {
		return fail(err)
	}
	config = config.DeepCopy()
	created := v1.Time{Time: set.created}
	config.Created = created
	config.Config.Cmd = []string{set.handler}
	if config.Config.WorkingDir == "" {
		// What AWS's bases say, and where a zip's handler runs.
		config.Config.WorkingDir = "/" + string(layer.Task)
	}
	labels := maps.Clone(config.Config.Labels)
	if labels == nil {
		labels = make(map[string]string)
	}
	maps.Copy(labels, set.labels)
	config.Config.Labels = labels
	alignHistory(config, created)

	img, err := mutate.ConfigFile(base.Image, config)
	if err != nil {
		return fail(err)
	}
	kin := familyOf(base.MediaType)
	img = mutate.ConfigMediaType(mutate.MediaType(img, kin.manifest), kin.config)
	addenda := make([]mutate.Addendum, 0, len(adds))
	for _, a := range adds {
		addenda = append(addenda, mutate.Addendum{
			Layer:   a.layer,
			History: v1.History{Created: created, CreatedBy: a.createdBy},
		})
	}
	if img, err = mutate.Append(img, addenda...); err != nil {
		return fail(err)
	}
	if kin == ociFamily { // Docker's manifest has no annotations
		img = mutate.Annotations(img, set.labels).(v1.Image)
	}
	if _, err := img.Digest(); err != nil {
		return fail(err)
	}
	return img, nil
}

// alignHistory makes sure that every layer of the base has an entry in the
// history, so that the entries added after them tell of the right layers. Some
// tools write none.
func alignHistory(config *v1.ConfigFile, created v1.Time) {
	told := 0
	for _, h := range config.History {
		if !h.EmptyLayer {
			told++
		}
	}
	for ; told < len(config.RootFS.DiffIDs); told++ {
		config.History = append(config.History, v1.History{Created: created, CreatedBy: "base image"})
	}
}

// standardLabels are the labels of a request's image.
func (r *Request) standardLabels(base *Base) (map[string]string, error) {
	layers, err := base.Image.Layers()
	if err != nil {
		return nil, fmt.Errorf("read the layers of the base image %s: %w", base.Reference, err)
	}
	labels := map[string]string{
		LabelBaseName:   base.Reference,
		LabelBaseDigest: base.Digest.String(),
		LabelBaseLayers: strconv.Itoa(len(layers)),
	}
	if strings.HasPrefix(base.Reference, "oci:") || strings.HasPrefix(base.Reference, "docker:") {
		// A path on this machine names nothing anywhere else.
		delete(labels, LabelBaseName)
	}
	if r.Runtime != "" {
		labels[LabelRuntime] = r.Runtime
	}
	if r.Code.SHA256 != "" {
		labels[LabelCodeSHA256] = r.Code.SHA256
	}
	maps.Copy(labels, r.Labels)
	return labels, nil
}

// createdBy tells in an image's history where a layer comes from. It holds
// nothing that differs from machine to machine, because it is part of the
// image's digest: the hash of the archive, or of the image its files are from, if
// it is known, else its bare name.
func createdBy(src layer.Source) string {
	what := "archive sha256:" + src.SHA256
	if _, digest, ok := strings.Cut(src.Image, "@"); ok {
		what = "files of image " + digest
	} else if src.SHA256 == "" {
		what = "archive " + src.Name[strings.LastIndexAny(src.Name, `/\`)+1:]
	}
	return "optlift: " + what + " unpacked to /" + string(src.Root)
}
