package recipe

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
)

// Overlay is an image that a layer's files are copied from instead of its zip.
type Overlay struct {
	Reference string // as asked for
	Pinned    string // name@sha256:… of one platform's image
	Copies    []Copy
}

// Copy is one COPY --from. From and To end in a slash for a directory, whose
// content is copied; a file is copied to a file.
type Copy struct{ From, To string }

// wholeOpt is how a layer image is laid out, ours and most publishers'.
var wholeOpt = []Copy{{"/opt/", "/opt/"}}

// DifferentError is an image that does not hold what the layer's zip holds.
type DifferentError struct {
	Reference   string
	Source      string
	Differences []string // "/opt/x is missing"
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("%s does not hold what %s holds: %d differences, the first: %s; leave the layer to its zip",
		e.Reference, e.Source, len(e.Differences), e.Differences[0])
}

// Take resolves an image for one architecture, compares what Copies would bring
// with the layer's zip and its programs with the architecture, and returns the
// overlay pinned by digest. What the image says of its own architecture is not
// asked: publishers' images are known to say it wrongly
// (https://github.com/newrelic/newrelic-lambda-layers/issues/274), so an index is
// followed by platform, and after that only the files count.
//
// An image that differs is a *DifferentError.
func Take(ctx context.Context, reference, architecture string, src layer.Source, opts ...remote.Option) (*Overlay, error) {
	platform, err := image.PlatformFor(architecture)
	if err != nil {
		return nil, err
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, fmt.Errorf("take layer files from the image %q: %w", reference, err)
	}
	opts = append([]remote.Option{remote.WithContext(ctx), remote.WithPlatform(platform)}, opts...)
	img, err := remote.Image(ref, opts...)
	if err != nil {
		return nil, fmt.Errorf("take layer files from the image %s: %w", reference, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, fmt.Errorf("take layer files from the image %s: %w", reference, err)
	}
	o := &Overlay{Reference: reference, Pinned: ref.Context().Name() + "@" + digest.String(), Copies: copiesFor(ref.Context().Name())}
	if err := o.compare(ctx, img, architecture, src); err != nil {
		return nil, err
	}
	return o, nil
}

// held is one path that the copies bring into /opt.
type held struct {
	kind   byte // of archive/tar
	mode   int64
	target string
	size   int64
	sum    [sha256.Size]byte
	head   []byte
}

// land returns where a path of the image ends up, "" if it is not copied. Paths
// are not rooted.
func (o *Overlay) land(p string) string {
	for _, c := range o.Copies {
		from, to := strings.TrimPrefix(c.From, "/"), strings.TrimPrefix(c.To, "/")
		if p == from {
			return to
		}
		if rest, ok := strings.CutPrefix(p, from); ok && strings.HasSuffix(from, "/") && rest != "" {
			return to + rest
		}
	}
	return ""
}

// survey reads the image's files as they are in the end, and hashes those that
// would be copied. Memory is bounded by the number of paths.
func (o *Overlay) survey(ctx context.Context, img v1.Image) (map[string]held, error) {
	rc := mutate.Extract(img)
	defer rc.Close()
	found := make(map[string]held)
	for r := tar.NewReader(rc); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("read the files of the image %s: %w", o.Reference, err)
		}
		to := o.land(strings.TrimPrefix(path.Clean("/"+h.Name), "/"))
		if to == "" {
			continue
		}
		f := held{kind: h.Typeflag, mode: h.Mode & 0o7777, target: h.Linkname, size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			sum := sha256.New()
			w := &headWriter{}
			if _, err := io.Copy(io.MultiWriter(sum, w), r); err != nil {
				return nil, fmt.Errorf("read %s of the image %s: %w", h.Name, o.Reference, err)
			}
			sum.Sum(f.sum[:0])
			f.head = w.head
		case tar.TypeLink: // a builder copies the file
			if same, ok := found[o.land(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"))]; ok {
				f = same
			}
		}
		found[to] = f
	}
}

// headWriter keeps the first bytes.
type headWriter struct{ head []byte }

func (w *headWriter) Write(p []byte) (int, error) {
	if missing := machine.HeadSize - len(w.head); missing > 0 {
		w.head = append(w.head, p[:min(missing, len(p))]...)
	}
	return len(p), nil
}

func (o *Overlay) compare(ctx context.Context, img v1.Image, architecture string, src layer.Source) error {
	if err := src.Dir.ReadLinks(); err != nil {
		return err
	}
	found, err := o.survey(ctx, img)
	if err != nil {
		return err
	}
	var programs []machine.Program
	for p, f := range found {
		if a := machine.Of(f.head); a != "" {
			programs = append(programs, machine.Program{Path: "/" + p, Architecture: a})
		}
	}
	slices.SortFunc(programs, func(a, b machine.Program) int { return strings.Compare(a.Path, b.Path) })
	if _, err := machine.Settle(programs, architecture); err != nil {
		return fmt.Errorf("take layer files from the image %s: %w", o.Reference, err)
	}
	different := &DifferentError{Reference: o.Reference, Source: src.Name}
	want := make(map[string]bool)
	for i := range src.Dir.Entries {
		e := &src.Dir.Entries[i]
		p := string(layer.Opt) + "/" + e.Name
		want[p] = true
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			want[dir] = true
		}
		f, ok := found[p]
		problem, err := differs(src.Dir, e, f, ok)
		if err != nil {
			return fmt.Errorf("compare %s with %s: %w", o.Reference, src.Name, err)
		}
		if problem != "" {
			different.Differences = append(different.Differences, "/"+p+" "+problem)
		}
	}
	var extra []string
	for p := range found {
		if !want[p] {
			extra = append(extra, "/"+p+" is in the image only")
		}
	}
	slices.Sort(extra)
	if different.Differences = append(different.Differences, extra...); len(different.Differences) > 0 {
		return different
	}
	return nil
}

// differs says what is wrong with a path of the image, by the rules of
// image.Prove: "" if nothing is.
func differs(dir *zipdir.Directory, e *zipdir.Entry, f held, ok bool) (string, error) {
	switch {
	case e.Kind == zipdir.Dir:
		if ok && f.kind != tar.TypeDir || ok && f.mode&0o555 != 0o555 {
			return "is no directory that all can search", nil
		}
		return "", nil
	case !ok:
		return "is missing", nil
	case e.Kind == zipdir.Symlink:
		if f.kind != tar.TypeSymlink || f.target != e.Target {
			return "is no link to " + e.Target, nil
		}
		return "", nil
	case f.kind != tar.TypeReg:
		return "is no file", nil
	}
	if !modeFits(e, f.mode) {
		return fmt.Sprintf("has mode %04o, which is not what the zip makes", f.mode), nil
	}
	if f.size != e.Size {
		return fmt.Sprintf("has %d bytes instead of %d", f.size, e.Size), nil
	}
	rc, err := dir.Open(e)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, rc)
	if err := errors.Join(err, rc.Close()); err != nil {
		return "", err
	}
	if [sha256.Size]byte(sum.Sum(nil)) != f.sum {
		return "has other content", nil
	}
	return "", nil
}

// modeFits holds a file's mode in an image against what image.Prove takes: the
// archive's own, or that made readable by all and executable by all if by anyone;
// 0755 or, unless Lambda starts it, 0644 where the archive has none.
func modeFits(e *zipdir.Entry, mode int64) bool {
	if !e.HasMode {
		started := e.Name == "bootstrap" || path.Dir(e.Name) == "extensions"
		return mode == 0o755 || mode == 0o644 && !started
	}
	was := int64(e.Mode) & 0o7777
	wide := was&0o777 | 0o444
	if was&0o111 != 0 {
		wide |= 0o111
	}
	return mode == was || mode == wide
}
