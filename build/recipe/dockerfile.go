package recipe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/optlift/optlift/build/image"
)

// dockerfile writes one stage for each layer that comes from its zip, and the
// image from those, so that each is a COPY --from, whatever it comes from: a
// stage can be replaced by an image of the same layer, and an image by a stage.
func (r *Request) dockerfile(bootstrap string) ([]byte, error) {
	base, err := name.ParseReference(r.Base.Reference)
	if err != nil {
		return nil, fmt.Errorf("write a recipe: the base image %q: %w", r.Base.Reference, err)
	}
	layers, err := r.Base.Image.Layers()
	if err != nil {
		return nil, fmt.Errorf("write a recipe: read the layers of the base image %s: %w", r.Base.Reference, err)
	}
	handler, err := words(r.Handler)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# ./fetch.sh has to run before this is built. The build itself needs no network\n# but for the images named here, and no credentials of AWS.\n")
	for i, p := range r.Layers {
		if p.From == nil {
			fmt.Fprintf(&b, "\n# Layer %d: %s\n# zip sha256:%s\nFROM scratch AS %s\nCOPY %s/%s/ /opt/\n",
				i+1, comment(p.Source.Name), p.Source.SHA256, r.part(i), unpackedDir, r.part(i))
		}
	}
	fmt.Fprintf(&b, "\n# %s, for %s\nFROM %s@%s\n", comment(r.Base.Reference), r.Base.Platform.String(), base.Context().Name(), r.Base.Digest)
	for i, p := range r.Layers {
		if p.From == nil {
			fmt.Fprintf(&b, "COPY --from=%s /opt/ /opt/\n", r.part(i))
			continue
		}
		fmt.Fprintf(&b, "# Layer %d: %s\n# taken from %s\n", i+1, comment(p.Source.Name), comment(p.From.Reference))
		for _, c := range p.From.Copies {
			fmt.Fprintf(&b, "COPY --from=%s %s %s\n", p.From.Pinned, c.From, c.To)
		}
	}
	fmt.Fprintf(&b, "COPY %s/code/ /var/task/\n", unpackedDir)
	if bootstrap != "" {
		fmt.Fprintf(&b, "# The base's entrypoint starts /var/runtime/bootstrap: a link to %s.\nCOPY %s/runtime/ /var/runtime/\n", bootstrap, unpackedDir)
	}
	if plainPath.MatchString(r.Wrapper) {
		fmt.Fprintf(&b, "# Lambda sets the function's own environment over this.\nENV AWS_LAMBDA_EXEC_WRAPPER=%s\n", r.Wrapper)
	}
	labels := map[string]string{
		image.LabelBaseName: r.Base.Reference, image.LabelBaseDigest: r.Base.Digest.String(), image.LabelBaseLayers: strconv.Itoa(len(layers)),
	}
	if r.Runtime != "" {
		labels[image.LabelRuntime] = r.Runtime
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "LABEL %s=%q\n", key, labels[key])
	}
	fmt.Fprintf(&b, "CMD %s\n", handler)
	return b.Bytes(), nil
}

// words is the JSON form of a one-word command.
func words(s string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode([]string{s})
	return string(bytes.TrimSpace(b.Bytes())), err
}
