package image

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// head checks manifest and configuration.
func (r *report) head(s *scan, limit limits) {
	c := s.config
	if c.OS != "linux" || c.Architecture != "amd64" && c.Architecture != "arm64" {
		r.add("platform", Finding{
			Message: fmt.Sprintf("the configuration says os %q and architecture %q; Lambda takes linux on amd64 or arm64", c.OS, c.Architecture),
			Remedy:  "build the image with --platform linux/amd64 or linux/arm64, whichever the function has",
		})
	}
	if n := len(s.raw); n >= limit.manifest {
		r.add("manifest-size", Finding{
			Message: fmt.Sprintf("the manifest has %d bytes; Lambda takes less than %d", n, limit.manifest),
			Remedy:  "join layers, or leave out annotations",
		})
	}
	r.mediaTypes(s)
	config, _, _ := v1.SHA256(strings.NewReader(string(s.rawConfig)))
	if config != s.manifest.Config.Digest {
		r.add("digest", Finding{
			Message: fmt.Sprintf("the configuration's bytes are %s, the manifest names %s", config, s.manifest.Config.Digest),
			Remedy:  "the copy is damaged: pull or build the image again",
		})
	}
	if got, want := len(c.RootFS.DiffIDs), len(s.layers); got != want {
		r.add("diff-id", Finding{
			Message: fmt.Sprintf("the configuration names %d layers, the manifest %d", got, want),
			Remedy:  "build the image again: its configuration belongs to another",
		})
	}
	total := int64(0)
	for _, l := range s.layers {
		total += l.unpacked
	}
	if total > limit.unpacked {
		r.add("unpacked-size", Finding{
			Message: fmt.Sprintf("the layers unpack to %d bytes; Lambda takes %d", total, limit.unpacked),
			Remedy:  "leave out what the function does not need",
		})
	}
}

func (r *report) mediaTypes(s *scan) {
	const remedy = "build the image again with one kind of media types, for instance with docker buildx build -o type=image,oci-mediatypes=false,compression=gzip,force-compression=true"
	manifest := s.mediaType
	if manifest != types.DockerManifestSchema2 && manifest != types.OCIManifestSchema1 {
		r.add("media-type", Finding{Message: fmt.Sprintf("Lambda takes no manifest of type %q", manifest), Remedy: remedy})
		return
	}
	if m := s.manifest.MediaType; m != "" && m != manifest {
		r.add("media-type", Finding{Message: fmt.Sprintf("the manifest calls itself %q and is stored as %q", m, manifest), Remedy: remedy})
	}
	kin := familyOf(manifest)
	if got := s.manifest.Config.MediaType; got != kin.config {
		f := Finding{Message: fmt.Sprintf("the configuration has the type %q beside a manifest of type %q", got, manifest), Remedy: remedy}
		if got.IsConfig() {
			f.Severity = Doubtful // mixed, which is not known to be refused
		}
		r.add("media-type", f)
	}
	for _, d := range s.manifest.Layers {
		docker := strings.Contains(string(d.MediaType), types.DockerVendorPrefix)
		f := Finding{Layer: d.Digest.String(), Remedy: remedy}
		switch {
		case !d.MediaType.IsLayer():
			f.Message = fmt.Sprintf("the layer has the type %q, which is no file system layer", d.MediaType)
			f.Remedy = "build without attestations: docker buildx build --provenance=false --sbom=false"
		case !d.MediaType.IsDistributable():
			f.Message = fmt.Sprintf("the layer has the type %q: it is not kept in the registry, where Lambda reads", d.MediaType)
		case docker != (kin == dockerFamily):
			f.Message = fmt.Sprintf("the layer has the type %q beside a manifest of type %q", d.MediaType, manifest)
			f.Severity = Doubtful
		default:
			continue
		}
		r.add("media-type", f)
	}
}

// blob checks a layer's bytes against the manifest and the configuration.
func (r *report) blob(s *scan, i int, l *layerScan) {
	d, id := s.manifest.Layers[i], l.digest.String()
	if l.read != l.digest || l.size != d.Size {
		r.add("digest", Finding{
			Layer:   id,
			Message: fmt.Sprintf("the layer's %d bytes are %s; the manifest names %d bytes", l.size, l.read, d.Size),
			Remedy:  "the copy is damaged: pull or build the image again",
		})
	}
	if !d.MediaType.IsLayer() {
		return // not a file system: its media type is a finding
	}
	if l.err != nil {
		r.add("layer-read", Finding{Layer: id, Message: "the layer can't be read to its end: " + l.err.Error(), Remedy: "build the image again"})
	} else if ids := s.config.RootFS.DiffIDs; i < len(ids) && ids[i] != l.diffID {
		r.add("diff-id", Finding{
			Layer:   id,
			Message: fmt.Sprintf("the layer's tar is %s; the configuration names %s", l.diffID, ids[i]),
			Remedy:  "build the image again: configuration and layers do not belong together",
		})
	}
	r.compression(d, l)
}

func (r *report) compression(d v1.Descriptor, l *layerScan) {
	f := Finding{Layer: l.digest.String(), Remedy: "build the image again with layers compressed by gzip: docker buildx build -o type=image,compression=gzip,force-compression=true"}
	said := "none"
	switch d.MediaType {
	case types.DockerLayer, types.OCILayer, types.DockerForeignLayer, types.OCIRestrictedLayer:
		said = "gzip"
	case types.OCILayerZStd:
		said = "zstd"
	}
	switch {
	case said != l.compression:
		f.Message = fmt.Sprintf("the layer's media type %q says its compression is %s, but it is %s", d.MediaType, said, l.compression)
		r.add("layer-gzip", f)
	case l.compression == "none" && d.MediaType == types.OCIUncompressedLayer:
		f.Severity = Doubtful // reported to be taken under an OCI manifest, and to be refused under Docker's
		f.Message = "the layer is not compressed"
		r.add("layer-gzip", f)
	case l.compression != "gzip":
		f.Message = fmt.Sprintf("the layer's compression is %s; Lambda is known to take gzip", l.compression)
		r.add("layer-gzip", f)
	}
	f.Remedy = "write the layer with a plain gzip: formats for lazy pulling (eStargz) make many members"
	switch {
	case l.members > 1:
		f.Message = fmt.Sprintf("the layer is %d gzip members: some readers stop after the first", l.members)
		r.add("gzip-member", f)
	case l.trailing:
		f.Message = "there are bytes behind the layer's gzip member"
		r.add("gzip-member", f)
	}
}
