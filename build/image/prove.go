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
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
	"golang.org/x/sync/errgroup"
)

// Proof is the comparison of an image's /opt and /var/task with the zips.
type Proof struct {
	Equal       bool          `json:"equal"`
	Compared    int           `json:"compared"` // paths
	Differences []Difference  `json:"differences"`
	Repairs     []ProofRepair `json:"repairs"`
	// Base are paths of the base image below the two roots that no archive has
	// touched. They are no differences, but a function as a zip does not see them.
	Base []string `json:"base,omitempty"`
}

// Difference is a path that is not as the zips say. Want and Got describe type,
// mode, link target or SHA-256; "" stands for "not there".
type Difference struct {
	Path string `json:"path"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// ProofRepair is a deliberate difference: a mode that Lambda could not have used.
type ProofRepair struct {
	Path string `json:"path"`
	What string `json:"what"`
}

// Prove compares path, type, mode, link target and SHA-256 under /opt and
// /var/task with the archives: layers merged under /opt in order, later ones
// winning, code, which may be nil, under /var/task. It reads the image's layers
// and the archives' contents once each and keeps a record for each path. (Build,
// which knows what each layer was made from, compares the bytes themselves.)
//
// What is expected comes from the archives alone, by rules written here and not
// shared with the converter:
//
//   - a file has its archive's bytes, and its mode; a mode may be widened to be
//     readable by all, and executable by all if anyone could execute it, and may
//     lose its set-ID and sticky bits;
//   - a file without a Unix mode is 0644, or 0755, which it must be where Lambda
//     starts it: bootstrap, and what lies in /opt/extensions;
//   - a link has its archive's target;
//   - a directory can be read and searched by all; one that an archive only
//     implies is there;
//   - nothing else is there, except what the image's base layers brought. How
//     many those are the image says itself (LabelBaseLayers), 0 if it does not.
//
// Widened modes are listed as repairs. Archives that clash (see optfs.Clash)
// have no expected result, which is an error.
func Prove(ctx context.Context, img v1.Image, layers []layer.Source, code *layer.Source) (*Proof, error) {
	s, want, err := scanToProve(ctx, img, layers, code)
	if err != nil {
		return nil, err
	}
	return proveScan(s, want)
}

func scanToProve(ctx context.Context, img v1.Image, layers []layer.Source, code *layer.Source) (*scan, expected, error) {
	want, err := expect(layers, code)
	if err != nil {
		return nil, nil, err
	}
	s, err := scanBeside(ctx, &scanner{hashes: true}, img, want, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("prove the image: %w", err)
	}
	return s, want, nil
}

func proveScan(s *scan, want expected) (*Proof, error) {
	base, err := strconv.Atoi(s.config.Config.Labels[LabelBaseLayers])
	if err != nil || base < 0 || base > len(s.layers) {
		base = 0
	}
	return prove(s, want, base)
}

// scanBeside reads an image and the archives it should equal at the same time.
func scanBeside(ctx context.Context, scanner *scanner, img v1.Image, want expected, progress func(int64)) (s *scan, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		s, err = scanner.scan(ctx, img)
		return err
	})
	group.Go(func() error { return want.hash(ctx, progress) })
	return s, group.Wait()
}

// proveTwins is prove for an image of which the scanner knows twins. What they
// can't vouch for, hashes settle, and tell.
func proveTwins(ctx context.Context, scanner *scanner, img v1.Image, s *scan, want expected, base int) (*Proof, error) {
	p, err := prove(s, want, base)
	if err != nil || p.Equal {
		return p, err
	}
	scanner.forgetTwins()
	if s, err = scanBeside(ctx, scanner, img, want, nil); err != nil {
		return nil, fmt.Errorf("prove the image: %w", err)
	}
	return prove(s, want, base)
}

// prove compares a scan that has twins or hashes with what was read from the
// archives. The image's first base layers are the base's.
func prove(s *scan, want expected, base int) (*Proof, error) {
	for _, l := range s.layers {
		if l.err != nil {
			return nil, fmt.Errorf("prove the image: its layer %s can't be read: %w", l.digest, l.err)
		}
	}
	p := &Proof{Differences: []Difference{}, Repairs: []ProofRepair{}}
	t := newTree(s.layers)
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := t.find(name, false)
		p.compare(name, want[name], n, n != nil && n.entry != nil && n.entry.name == name && s.layers[n.layer].twinOf(want[name].source))
	}
	for _, root := range []string{"opt", "var/task"} {
		top := t.find(root, true)
		if top == nil {
			continue
		}
		if top.dir() && top.entry != nil && top.entry.mode&0o555 != 0o555 {
			p.differ(root, "a directory that all can search", told(top))
		}
		top.walk(func(n *node) {
			name := root + strings.TrimPrefix(n.name, top.name)
			switch {
			case want[name] != nil:
			case n.layer < base:
				p.Base = append(p.Base, "/"+name)
			default:
				p.differ(name, "", told(n))
			}
		})
	}
	slices.SortStableFunc(p.Differences, func(a, b Difference) int { return strings.Compare(a.Path, b.Path) })
	p.Compared = len(names)
	p.Equal = len(p.Differences) == 0
	return p, nil
}

func (w *wanted) String() string {
	switch w.kind {
	case zipdir.Dir:
		return "directory"
	case zipdir.Symlink:
		return "link to " + w.target
	}
	mode := "without a mode"
	if w.zip.HasMode {
		mode = fmt.Sprintf("mode %04o", uint32(w.zip.Mode)&0o7777)
	}
	return fmt.Sprintf("file, %s, %d bytes, sha256:%x", mode, w.zip.Size, w.sha256)
}

// told describes what an image has at a path.
func told(n *node) string {
	if n == nil {
		return ""
	}
	if n.entry == nil {
		return "directory"
	}
	e := n.entry
	switch {
	case n.broken:
		return "hard link to nothing, " + e.target
	case e.typ == tar.TypeDir:
		return fmt.Sprintf("directory, mode %04o", e.mode)
	case e.typ == tar.TypeSymlink:
		return "link to " + e.target
	case e.typ == tar.TypeReg:
		return fmt.Sprintf("file, mode %04o, %d bytes, sha256:%x", e.mode, e.size, e.sha256)
	default:
		return fmt.Sprintf("special file of type %q", e.typ)
	}
}

func (p *Proof) differ(name, want, got string) {
	p.Differences = append(p.Differences, Difference{Path: "/" + name, Want: want, Got: got})
}

// twinOf reports whether each file of the layer has the bytes that the archive has
// at its path.
func (s *layerScan) twinOf(src *layer.Source) bool { return s.twin != "" && s.twin == identity(*src) }

// compare holds one path of the image against what the archives say. Of a twin it
// is known that the content is the same.
func (p *Proof) compare(name string, w *wanted, n *node, twin bool) {
	differ := func() { p.differ(name, w.String(), told(n)) }
	if n == nil || n.broken {
		differ()
		return
	}
	if w.kind == zipdir.Dir {
		switch {
		case !n.dir() || n.entry != nil && n.entry.mode&0o555 != 0o555:
			differ()
		case w.zip != nil && w.zip.HasMode && w.zip.Mode&0o555 != 0o555:
			p.repaired(name, uint32(w.zip.Mode), n)
		}
		return
	}
	if n.dir() {
		differ()
		return
	}
	if w.kind == zipdir.Symlink {
		if n.entry.typ != tar.TypeSymlink || n.entry.target != w.target {
			differ()
		}
		return
	}
	e := n.entry
	same := twin || e.hashed && w.hashed && e.sha256 == w.sha256
	if e.typ != tar.TypeReg || e.size != w.zip.Size || !same {
		differ()
		return
	}
	if !w.zip.HasMode {
		switch {
		case e.mode == 0o755:
			p.Repairs = append(p.Repairs, ProofRepair{"/" + name, "made executable: the archive carries no modes"})
		case e.mode != 0o644 || startedByLambda(name):
			differ()
		}
		return
	}
	switch was := uint32(w.zip.Mode) & 0o7777; e.mode {
	case was:
	case widened(was):
		p.repaired(name, was, n)
	default:
		differ()
	}
}

func (p *Proof) repaired(name string, was uint32, n *node) {
	now := uint32(0o755) // of a directory that no layer lists
	if n.entry != nil {
		now = n.entry.mode
	}
	p.Repairs = append(p.Repairs, ProofRepair{"/" + name, fmt.Sprintf("mode %04o made %04o", was&0o7777, now)})
}

// widened is the one mode that a file's own may be turned into: without set-ID
// and sticky bits, readable by all, executable by all if by anyone.
func widened(mode uint32) uint32 {
	if mode&0o111 != 0 {
		return mode&0o777 | 0o555
	}
	return mode&0o777 | 0o444
}

// startedByLambda reports whether Lambda itself starts the file at a path: see
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html and
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html.
func startedByLambda(name string) bool {
	return name == "opt/bootstrap" || name == "var/task/bootstrap" || path.Dir(name) == "opt/extensions"
}
