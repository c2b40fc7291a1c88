package image

import (
	"archive/tar"
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// limits are the numbers of Lambda's that the lint checks against.
type limits struct {
	unpacked   int64 // bytes of all layers together
	manifest   int   // bytes
	extensions int
}

var lambdaLimits = limits{
	unpacked:   10 << 30, // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	manifest:   25_400,   // https://docs.aws.amazon.com/lambda/latest/dg/images-create.html: smaller than
	extensions: 10,       // https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html
}

// perRule caps the findings of one rule in one layer; the rest are counted.
const perRule = 50

// Lint reads the whole image once and reports every broken rule, worst first.
// See Rules. What an AWS base image brings itself is not held against the image.
func Lint(ctx context.Context, img v1.Image) ([]Finding, error) {
	s, err := new(scanner).scan(ctx, img)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return lint(s, lambdaLimits), nil
}

// LintReference lints what a reference stands for, as Open reads it. An index,
// which Open refuses, is a finding here, and its Linux images are linted too.
func LintReference(ctx context.Context, ref string, opts ...remote.Option) ([]Finding, error) {
	s, err := openSubject(ctx, ref, opts...)
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return Lint(ctx, s.image)
	}
	list, err := listImages(s.index)
	if err != nil {
		return nil, fmt.Errorf("read the index %s: %w", ref, err)
	}
	if s.layout {
		return nil, &IndexError{Reference: ref, Layout: true, Images: describe(list)}
	}
	r := &report{}
	r.add("single-platform", Finding{
		Message: fmt.Sprintf("it is an index of %s, not one image; it holds: %s", count(len(list), " image", "s"), orNone(describe(list))),
		Remedy:  "name one of these by its digest, or build for one platform and without attestations: docker buildx build --platform linux/amd64 --provenance=false --sbom=false",
	})
	scanner := new(scanner)
	for _, l := range list {
		if p := l.descriptor.Platform; p != nil && (p.OS != "linux" || p.Architecture != "amd64" && p.Architecture != "arm64") {
			continue
		}
		img, err := l.open()
		if err != nil {
			return nil, fmt.Errorf("read %s of the index %s: %w", l.descriptor.Digest, ref, err)
		}
		one, err := scanner.scan(ctx, img)
		if err != nil {
			return nil, fmt.Errorf("lint %s of the index %s: %w", l.descriptor.Digest, ref, err)
		}
		r.findings = append(r.findings, lint(one, lambdaLimits)...)
	}
	return r.sorted(), nil
}

func lint(s *scan, limit limits) []Finding {
	r := &report{}
	r.head(s, limit)
	skip := awsLayers(s.config)
	for i, l := range s.layers {
		r.blob(s, i, l)
		if i >= skip && slices.Index(s.layers, l) == i && s.manifest.Layers[i].MediaType.IsLayer() { // a layer that is there twice is told once
			r.tar(l)
		}
	}
	t := newTree(s.layers)
	r.start(s, t)
	r.extensions(s, t, limit)
	r.files(s, t, skip)
	return r.sorted()
}

// awsLayers is how many of an image's layers are those of an AWS base image,
// which Lambda is known to take whatever they hold. The base's Dockerfile sets
// the environment and the entrypoint after its last layer
// (https://github.com/aws/aws-lambda-base-images), and the history says so.
func awsLayers(config *v1.ConfigFile) int {
	layers, environment := 0, false
	for _, h := range config.History {
		if !h.EmptyLayer {
			layers++
		}
		environment = environment || strings.Contains(h.CreatedBy, "LAMBDA_RUNTIME_DIR=")
		if environment && strings.Contains(h.CreatedBy, "ENTRYPOINT") && strings.Contains(h.CreatedBy, lambdaEntrypoint) {
			return layers
		}
	}
	return 0
}

// report collects findings.
type report struct {
	findings []Finding
	told     map[[2]string]int // rule and layer
}

// add reports a finding of a rule, at the rule's severity unless it has its own.
func (r *report) add(rule string, f Finding) {
	f.Rule = rule
	if f.Severity == "" {
		f.Severity = ruleFor(rule).Severity
	}
	if r.told == nil {
		r.told = make(map[[2]string]int)
	}
	key := [2]string{rule, f.Layer}
	if r.told[key]++; r.told[key] > perRule {
		return
	}
	r.findings = append(r.findings, f)
}

// sorted returns the findings, worst first, with a word on those that were left out.
func (r *report) sorted() []Finding {
	for i := len(r.findings) - 1; i >= 0; i-- {
		f := &r.findings[i]
		key := [2]string{f.Rule, f.Layer}
		if n := r.told[key]; n > perRule {
			f.Message += fmt.Sprintf(" (and %d more such paths)", n-perRule)
			delete(r.told, key)
		}
	}
	order := make(map[string]int)
	for i, rule := range Rules() {
		order[rule.ID] = i
	}
	severity := []Severity{Refused, Doubtful, Remark}
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		if a.Severity != b.Severity {
			return slices.Index(severity, a.Severity) - slices.Index(severity, b.Severity)
		}
		return order[a.Rule] - order[b.Rule]
	})
	return r.findings
}

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

// tar checks the entries of one layer.
func (r *report) tar(l *layerScan) {
	id := l.digest.String()
	seen := make(map[string]bool, len(l.entries))
	dirs := map[string]bool{".": true}
	later := make(map[string]bool) // directories that have an entry anywhere in the layer
	for i := range l.entries {
		if l.entries[i].typ == tar.TypeDir {
			later[l.entries[i].name] = true
		}
	}
	missed := make(map[string]bool)
	for i := range l.entries {
		e := &l.entries[i]
		f := Finding{Path: "/" + e.name, Layer: id}
		if e.name == ".." || strings.HasPrefix(e.name, "../") {
			f.Path, f.Message, f.Remedy = e.name, "the name leads out of the image", "build the image with another tool"
			r.add("unsafe-path", f)
			continue
		}
		if seen[e.name] {
			f.Message, f.Remedy = "the layer holds the path more than once", "write each path once; the last copy is what counts"
			r.add("duplicate-path", f)
		}
		seen[e.name] = true
		if parent := path.Dir(e.name); !dirs[parent] && !missed[parent] {
			missed[parent] = true
			f.Message = fmt.Sprintf("the layer has no entry for the directory /%s before this file", parent)
			if later[parent] {
				f.Message = fmt.Sprintf("the layer's entry for the directory /%s comes after this file", parent)
			}
			f.Remedy = "write an entry for every directory, parents first: tar -c DIRECTORY does, a list of files does not"
			r.add("parent-directory", f)
		}
		switch e.typ {
		case tar.TypeDir:
			dirs[e.name] = true
		case tar.TypeLink:
			f.Message, f.Remedy = fmt.Sprintf("it is a hard link to /%s", strings.TrimLeft(e.target, "/")), "write a copy of the file, or a symbolic link"
			r.add("hard-link", f)
		case tar.TypeReg, tar.TypeSymlink:
		default:
			f.Message, f.Remedy = "it is a device, a pipe or of another kind that a function can't use", "leave it out"
			r.add("special-file", f)
		}
		if strings.HasPrefix(path.Base(e.name), whiteoutPrefix) {
			f.Message, f.Remedy = "it deletes a file of a layer below", "nothing to do; deleted files still count as part of the image's size"
			r.add("whiteout", f)
		}
	}
}

// start checks what the image starts.
func (r *report) start(s *scan, t *tree) {
	c := s.config.Config
	if len(c.Entrypoint) == 1 && c.Entrypoint[0] == lambdaEntrypoint && len(c.Cmd) != 1 {
		severity := Refused
		if len(c.Cmd) == 0 {
			severity = Doubtful // a function's ImageConfig may bring it
		}
		r.add("cmd", Finding{
			Severity: severity,
			Message:  fmt.Sprintf("CMD has %s; %s takes exactly one, the handler, and ends with status 142 otherwise", count(len(c.Cmd), " word", "s"), lambdaEntrypoint),
			Remedy:   `set CMD ["index.handler"], or ImageConfig.Command on every function that uses the image`,
		})
	}
	program := append(slices.Clone(c.Entrypoint), c.Cmd...)
	switch {
	case len(program) == 0:
		r.add("entrypoint", Finding{
			Message: "the image has neither ENTRYPOINT nor CMD: nothing would be started",
			Remedy:  "build on an AWS base image, or set ENTRYPOINT to the runtime's client",
		})
	case !strings.HasPrefix(program[0], "/"):
		r.add("entrypoint", Finding{
			Message: fmt.Sprintf("what is started, %q, is no absolute path", program[0]),
			Remedy:  "set ENTRYPOINT to the program's absolute path, or build on an AWS base image",
		})
	default:
		if n := t.find(program[0], true); n == nil || n.dir() || n.broken {
			r.add("entrypoint", Finding{
				Path: program[0], Message: "what is started is not in the image, or is no file",
				Remedy: "copy it into the image, or build on an AWS base image",
			})
		} else if n.entry.mode&0o111 == 0 {
			r.add("entrypoint", Finding{
				Path: program[0], Message: fmt.Sprintf("what is started is not executable (mode %04o)", n.entry.mode),
				Remedy: "chmod +x it before it is copied",
			})
		}
	}
}

// extensions checks /opt/extensions, every file of which Lambda starts
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html).
func (r *report) extensions(s *scan, t *tree, limit limits) {
	dir := t.find("opt/extensions", true)
	if dir == nil {
		return
	}
	n := 0
	names := make([]string, 0, len(dir.children))
	for name := range dir.children {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		child := dir.children[name]
		f := Finding{Path: "/opt/extensions/" + name, Layer: s.layers[child.layer].digest.String()}
		target := t.find(child.name, true)
		if target != nil && target.dir() {
			continue
		}
		n++
		f.Remedy = "leave it out of the layer it comes from, or make it executable if it is an extension"
		switch {
		case target == nil || target.broken:
			f.Message = "it is a link to nothing: Lambda tries to start it, and the function's start fails"
		case target.entry.mode&0o111 == 0:
			f.Message = fmt.Sprintf("it is not executable (mode %04o): Lambda tries to start it, and the function's start fails", target.entry.mode)
		case strings.HasPrefix(name, "."):
			f.Severity = Doubtful
			f.Message = "it is hidden, and Lambda starts it as an extension all the same"
		default:
			continue
		}
		r.add("extension-file", f)
	}
	if n > limit.extensions {
		r.add("extension-count", Finding{
			Path: "/opt/extensions", Message: fmt.Sprintf("it holds %d files; Lambda starts each of them, and takes %d extensions", n, limit.extensions),
			Remedy: "leave out layers with extensions that the function can do without",
		})
	}
}

// files checks what the function itself reads, as it is in the end; what an AWS
// base brings is its own affair.
func (r *report) files(s *scan, t *tree, skip int) {
	for _, root := range []string{"opt", "var/task"} {
		top := t.find(root, true)
		if top == nil {
			continue
		}
		check := func(n *node) {
			if n.entry == nil || n.layer < skip || n.entry.typ != tar.TypeReg && n.entry.typ != tar.TypeDir {
				return
			}
			e := n.entry
			f := Finding{Path: "/" + n.name, Layer: s.layers[n.layer].digest.String()}
			switch {
			case n.dir() && e.mode&0o555 != 0o555:
				f.Message, f.Remedy = fmt.Sprintf("the directory has mode %04o; Lambda runs the function as a user of its own, who could not search it", e.mode), "chmod a+rx it before it is copied"
				r.add("world-readable", f)
			case !n.dir() && e.mode&0o444 != 0o444:
				f.Message, f.Remedy = fmt.Sprintf("the file has mode %04o; Lambda runs the function as a user of its own, who could not read it", e.mode), "chmod a+r it before it is copied"
				r.add("world-readable", f)
			}
			if e.uid != 0 || e.gid != 0 {
				f.Message, f.Remedy = "it belongs to "+strconv.Itoa(e.uid)+":"+strconv.Itoa(e.gid)+"; no such user exists where Lambda runs it", "copy it without --chown, or write the tar with owner 0:0"
				r.add("owner", f)
			}
		}
		check(top)
		top.walk(check)
	}
}
