package overlay

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

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/machine"
	"github.com/optlift/optlift/build/zipdir"
)

// Image is an image that a layer's files are taken from instead of its zip. Its
// layers are read lazily, with the context that Open was given.
type Image struct {
	Reference string // as asked for
	// Pinned is Reference with the digest of one platform's image in the place of
	// its tag: "HOST/REPOSITORY@sha256:…". For one on this machine it is
	// "oci:DIR@sha256:…", which no Dockerfile takes.
	Pinned string
	Copies []Copy

	image v1.Image
	found map[string]held // by path in a function's image, not rooted
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

// OnDisk reports whether the image lies on this machine, where no other builder
// finds it.
func (o *Image) OnDisk() bool { return onDisk(o.Reference) }

func onDisk(reference string) bool {
	return strings.HasPrefix(reference, "oci:") || strings.HasPrefix(reference, "docker:")
}

// Take is Open and Compare.
func Take(ctx context.Context, reference, architecture string, src layer.Source, opts ...remote.Option) (*Image, error) {
	o, err := Open(ctx, reference, architecture, opts...)
	if err != nil {
		return nil, err
	}
	return o, o.Compare(ctx, src)
}

// Open resolves an image ("HOST/REPOSITORY:TAG", "oci:DIR" or "docker:FILE.tar")
// for one of Lambda's architectures, reads the files that would land under /opt,
// and refuses one that has none, or whose programs are for another processor.
// Without opts a registry is asked with the credentials that `docker login` left.
func Open(ctx context.Context, reference, architecture string, opts ...remote.Option) (*Image, error) {
	o := &Image{Reference: reference}
	err := o.resolve(ctx, architecture, opts)
	if err == nil {
		err = o.survey(ctx)
	}
	if err == nil && len(o.found) == 0 {
		err = fmt.Errorf("it has nothing at %s", o.Copies[0].From)
	}
	if err == nil {
		err = o.fits(architecture)
	}
	if err != nil {
		return nil, fmt.Errorf("take layer files from the image %s: %w", reference, err)
	}
	return o, nil
}

func (o *Image) resolve(ctx context.Context, architecture string, opts []remote.Option) error {
	platform, err := image.PlatformFor(architecture)
	if err != nil {
		return err
	}
	o.Copies = wholeOpt
	where := o.Reference
	if onDisk(o.Reference) {
		o.image, err = image.Open(ctx, o.Reference)
	} else {
		var ref name.Reference
		if ref, err = name.ParseReference(o.Reference); err != nil {
			return err
		}
		where = ref.Context().Name()
		o.Copies = copiesFor(where)
		if len(opts) == 0 {
			opts = []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain)}
		}
		o.image, err = remote.Image(ref, append([]remote.Option{remote.WithContext(ctx), remote.WithPlatform(platform)}, opts...)...)
	}
	if err != nil {
		return err
	}
	digest, err := o.image.Digest()
	o.Pinned = where + "@" + digest.String()
	return err
}

// fits refuses programs that the architecture can't run.
func (o *Image) fits(architecture string) error {
	var programs []machine.Program
	for p, f := range o.found {
		if a := machine.Of(f.head); a != "" {
			programs = append(programs, machine.Program{Path: "/" + p, Architecture: a})
		}
	}
	slices.SortFunc(programs, func(a, b machine.Program) int { return strings.Compare(a.Path, b.Path) })
	_, err := machine.Settle(programs, architecture)
	return err
}

// held is one path that the copies bring into /opt.
type held struct {
	kind   byte // of archive/tar
	mode   int64
	target string
	size   int64
	sum    [sha256.Size]byte
	head   []byte
	from   string // the path that a hard link shares its file with
}

// land returns where a path of the image ends up, "" if it is not copied. Paths
// are not rooted.
func (o *Image) land(p string) string {
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
func (o *Image) survey(ctx context.Context) error {
	o.found = make(map[string]held)
	return o.walk(ctx, func(to string, h *tar.Header, r io.Reader) error {
		f := held{kind: h.Typeflag, mode: h.Mode & 0o7777, target: h.Linkname, size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			sum := sha256.New()
			w := &headWriter{}
			if _, err := io.Copy(io.MultiWriter(sum, w), r); err != nil {
				return err
			}
			sum.Sum(f.sum[:0])
			f.head = w.head
		case tar.TypeLink: // a builder copies the file
			if same, ok := o.found[o.land(inImage(h.Linkname))]; ok {
				f = same
				f.from = o.land(inImage(h.Linkname))
			}
		}
		o.found[to] = f
		return nil
	})
}

// walk calls f for every path that the copies bring, with where it lands.
func (o *Image) walk(ctx context.Context, f func(to string, h *tar.Header, r io.Reader) error) error {
	rc := mutate.Extract(o.image)
	defer rc.Close()
	for r := tar.NewReader(rc); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read its files: %w", err)
		}
		if to := o.land(inImage(h.Name)); to != "" {
			if err := f(to, h, r); err != nil {
				return fmt.Errorf("read %s: %w", h.Name, err)
			}
		}
	}
}

// inImage is a tar's name as a path that is not rooted.
func inImage(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// headWriter keeps the first bytes.
type headWriter struct{ head []byte }

func (w *headWriter) Write(p []byte) (int, error) {
	if missing := machine.HeadSize - len(w.head); missing > 0 {
		w.head = append(w.head, p[:min(missing, len(p))]...)
	}
	return len(p), nil
}

// Compare holds the files against those of the layer's zip, by the rules of
// image.Prove. What differs is a *DifferentError. A zip that is still arriving is
// read to its end and verified.
func (o *Image) Compare(ctx context.Context, src layer.Source) error {
	if err := src.Dir.ReadLinks(); err != nil {
		return err
	}
	different := &DifferentError{Reference: o.Reference, Source: src.Name}
	want := make(map[string]bool)
	for i := range src.Dir.Entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := &src.Dir.Entries[i]
		p := string(layer.Opt) + "/" + e.Name
		want[p] = true
		for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
			want[dir] = true
		}
		f, ok := o.found[p]
		problem, err := differs(src.Dir, e, f, ok)
		if err != nil {
			return fmt.Errorf("compare %s with %s: %w", o.Reference, src.Name, err)
		}
		if problem != "" {
			different.Differences = append(different.Differences, "/"+p+" "+problem)
		}
	}
	var extra []string
	for p := range o.found {
		if !want[p] {
			extra = append(extra, "/"+p+" is in the image only")
		}
	}
	slices.Sort(extra)
	if different.Differences = append(different.Differences, extra...); len(different.Differences) > 0 {
		return different
	}
	if src.Verify != nil {
		return src.Verify(ctx)
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
