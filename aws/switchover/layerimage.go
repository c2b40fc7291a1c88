package switchover

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/overlay"
)

// layerImages refuses images for layers that nothing uses. Whether an image holds
// what the layer's zip holds is found out when the function's image is built: one
// that differs ends the run before the account's function is touched.
func (n *notices) layerImages(s *Snapshot, c Choices) {
	used := map[string]bool{}
	for _, q := range append([]string{""}, s.Carried()...) {
		config, err := s.ConfigOf(q)
		if err != nil {
			n.refuse("snapshot", "%v", err)
			return
		}
		for _, name := range snapshot.LayerARNs(config) {
			used[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.LayerImages)) {
		if !used[name] {
			n.refuse("layer-image", "no version that is carried has the layer %s, for which the image %s is named", name, c.LayerImages[name])
		}
	}
}

// layersFrom tells in a plan which layers of a build come from images.
func layersFrom(s *Snapshot, c Choices, b build) (text string, err error) {
	config, err := s.ConfigOf(b.qualifiers[0])
	if err != nil {
		return "", err
	}
	for _, name := range snapshot.LayerARNs(config) {
		if from := c.LayerImages[name]; from != "" {
			text += fmt.Sprintf("; layer %s from %s", name, from)
		}
	}
	return text, nil
}

// layerImageFact is where the journal keeps the digest that an image's tag meant
// when it was first read, so that a resumed run takes the same one.
func layerImageFact(arn string) string { return "layer-image:" + arn }

// layerImage puts the files of an image in the place of a layer's zip, where the
// user has chosen so and the files are the same. The closer is nil where not.
func (r *run) layerImage(ctx context.Context, src layer.Source, architecture string) (layer.Source, io.Closer, error) {
	reference := r.choices.LayerImages[src.Name]
	if reference == "" {
		return src, nil, nil
	}
	if pinned := r.j.fact(layerImageFact(src.Name)); pinned != "" {
		reference = pinned
	}
	client := registry.New(r.s.config.Session, r.s.config.Region)
	o, err := overlay.Take(ctx, reference, architecture, src, client.ReadOptions(ctx, reference)...)
	if err != nil {
		return src, nil, err
	}
	if !o.OnDisk() {
		if err := r.j.set(layerImageFact(src.Name), o.Pinned); err != nil {
			return src, nil, err
		}
	}
	return o.Source(ctx, src.Name, filepath.Join(r.s.config.StateDir, "scratch"))
}
