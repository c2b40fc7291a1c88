package image

import (
	"archive/tar"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/machine"
	"golang.org/x/sync/errgroup"
)

// A scan is one streaming read of an image: what the lint and the proof know.
// It keeps a record for each path and no contents.
type scan struct {
	mediaType types.MediaType
	manifest  *v1.Manifest
	raw       []byte // the manifest
	config    *v1.ConfigFile
	rawConfig []byte
	layers    []*layerScan
}

// layerScan is what one image layer turned out to hold.
type layerScan struct {
	digest      v1.Hash // as the manifest says
	read        v1.Hash // of the bytes that were read
	diffID      v1.Hash // of the tar that was read
	size        int64   // compressed bytes that were read
	unpacked    int64   // bytes of the tar
	compression string  // "gzip", "zstd", or "none"
	members     int     // of the gzip file
	trailing    bool    // bytes behind the last gzip member
	entries     []entry
	err         error // why the layer could not be read to its end

	// twin is the identity of the archive whose bytes all files below the roots were
	// found to have, each those of its own entry; "" if that was not asked, or is not so.
	twin     string
	programs []machine.Program // of the twin, by its own names
}

// entry is one member of a layer's tar.
type entry struct {
	name   string // cleaned, not rooted; "." is the root
	typ    byte   // as in archive/tar
	mode   uint32 // 0o7777
	uid    int
	gid    int
	size   int64
	target string
	sha256 [sha256.Size]byte // of files below the roots, if hashed
	hashed bool
}

// linked reports whether the member is a hard link.
func (e *entry) linked() bool { return e.typ == tar.TypeLink }

// scanner reads images. It reads a layer once, however often it is met.
type scanner struct {
	// hashes asks for the SHA-256 of the files that a function's archives can make.
	hashes bool
	// progress, which may be nil, is called from several goroutines with the
	// compressed bytes done since the last call.
	progress func(int64)
	known    map[v1.Hash]*layerScan
}

// scan reads every layer of img once, several at a time.
//
// Damage is part of the result; an error is only what keeps the image from being
// read at all: its manifest, its configuration, the network, ctx.
func (r *scanner) scan(ctx context.Context, img v1.Image) (*scan, error) {
	s, err := readHead(img)
	if err != nil {
		return nil, err
	}
	if r.known == nil {
		r.known = make(map[v1.Hash]*layerScan)
	}
	found := make([]*layerScan, len(s.manifest.Layers))
	asked := make(map[v1.Hash]bool)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel())
	for i, d := range s.manifest.Layers {
		if r.known[d.Digest] != nil && r.progress != nil {
			r.progress(d.Size)
		}
		if r.known[d.Digest] != nil || asked[d.Digest] {
			continue
		}
		asked[d.Digest] = true
		group.Go(func() error {
			l, err := img.LayerByDigest(d.Digest)
			if err != nil {
				return fmt.Errorf("open the image layer %s: %w", d.Digest, err)
			}
			var w watch
			if r.hashes {
				w.file = hashFiles()
			}
			found[i], err = scanLayer(ctx, l, d, w, r.progress)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, l := range found {
		if l != nil {
			r.known[l.digest] = l
		}
	}
	for _, d := range s.manifest.Layers {
		s.layers = append(s.layers, r.known[d.Digest])
	}
	return s, nil
}

// readHead reads an image's manifest and configuration.
func readHead(img v1.Image) (*scan, error) {
	s := &scan{}
	var err error
	manifest := func(err error) (*scan, error) { return nil, fmt.Errorf("read the image's manifest: %w", err) }
	if s.mediaType, err = img.MediaType(); err != nil {
		return manifest(err)
	}
	if s.raw, err = img.RawManifest(); err != nil {
		return manifest(err)
	}
	if s.manifest, err = img.Manifest(); err != nil {
		return manifest(err)
	}
	if s.rawConfig, err = img.RawConfigFile(); err != nil {
		return nil, fmt.Errorf("read the image's configuration: %w", err)
	}
	if s.config, err = img.ConfigFile(); err != nil {
		return nil, fmt.Errorf("read the image's configuration: %w", err)
	}
	return s, nil
}

// forgetTwins drops what was not hashed because it was compared.
func (r *scanner) forgetTwins() {
	maps.DeleteFunc(r.known, func(_ v1.Hash, l *layerScan) bool { return l.twin != "" })
}

// watch looks at what a layer holds while it is scanned. Both may be nil.
type watch struct {
	// file reads the content of a file below the roots, which begins off bytes into
	// the tar. An error ends the scan of the layer.
	file func(e *entry, content io.Reader, off int64) error
	// block is told of the layer's deflate blocks, as inflate.Gzip.OnBlock does, in
	// another goroutine and before the block's bytes are read.
	block func(bit, out int64)
}

// hashFiles takes files' SHA-256.
func hashFiles() func(e *entry, content io.Reader, off int64) error {
	sum, buf := sha256.New(), make([]byte, 64<<10)
	return func(e *entry, content io.Reader, _ int64) error {
		sum.Reset()
		_, err := io.CopyBuffer(sum, content, buf)
		sum.Sum(e.sha256[:0])
		e.hashed = err == nil
		return err
	}
}

// scanLayer reads one layer. Only an end of ctx, or a layer that can't be opened
// or stops arriving, is an error.
func scanLayer(ctx context.Context, l v1.Layer, d v1.Descriptor, w watch, progress func(int64)) (*layerScan, error) {
	rc, err := l.Compressed()
	if err != nil {
		return nil, fmt.Errorf("open the image layer %s: %w", d.Digest, err)
	}
	defer rc.Close()
	s := &layerScan{digest: d.Digest}
	blob := &meter{r: &cancelable{ctx, rc}, h: sha256.New(), progress: progress}
	in := bufio.NewReaderSize(blob, 128<<10)
	if err := s.unpack(in, w); err != nil {
		s.err = err
	}
	// Whatever the tar said, the digest is that of the whole blob.
	if _, err := io.Copy(io.Discard, in); err != nil && s.err == nil {
		s.err = err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// A source that checks the digest itself fails behind the last byte: that is
	// damage. One that fails before has stopped arriving.
	if blob.err != nil && blob.n < d.Size {
		return nil, fmt.Errorf("read the image layer %s: %w", d.Digest, blob.err)
	}
	s.read, s.size = blob.sum(), blob.n
	return s, nil
}

// unpack reads the layer's compression and its tar.
func (s *layerScan) unpack(in *bufio.Reader, w watch) error {
	var plain io.Reader
	magic, _ := in.Peek(4)
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b:
		s.compression = "gzip"
		z, err := newMembers(in, w.block)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		defer func() { s.members, s.trailing = z.count, z.trailing }()
		plain = z
	case string(magic) == "\x28\xb5\x2f\xfd":
		s.compression = "zstd"
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return fmt.Errorf("zstd: %w", err)
		}
		defer z.Close()
		plain = z
	default:
		s.compression = "none"
		plain = in
	}
	whole := &meter{r: plain, h: sha256.New()}
	unpacked := readAhead(whole)
	err := s.readTar(unpacked, w)
	if _, rest := io.Copy(io.Discard, unpacked); err == nil && rest != nil {
		err = rest
	}
	s.diffID, s.unpacked = whole.sum(), whole.n
	return err
}

func (s *layerScan) readTar(r *ahead, w watch) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("tar, after %d entries: %w", len(s.entries), err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e := entry{
			name: path.Clean(strings.TrimLeft(h.Name, "/")), typ: h.Typeflag, mode: uint32(h.Mode & 0o7777),
			uid: h.Uid, gid: h.Gid, size: h.Size, target: h.Linkname,
		}
		if e.typ == tar.TypeGNUSparse || e.typ == tar.TypeCont {
			e.typ = tar.TypeReg // read like any file
		}
		if w.file != nil && e.typ == tar.TypeReg && underRoots(e.name) {
			if err := w.file(&e, tr, r.off); err != nil {
				return fmt.Errorf("tar, in %s: %w", e.name, err)
			}
		}
		s.entries = append(s.entries, e)
	}
}

// underRoots reports whether a function's archives can make the path.
func underRoots(name string) bool {
	return strings.HasPrefix(name, "opt/") || strings.HasPrefix(name, "var/task/")
}

// members reads a gzip file member by member and counts them.
type members struct {
	in       *bufio.Reader
	z        *inflate.Gzip
	count    int
	trailing bool
}

func newMembers(in *bufio.Reader, block func(bit, out int64)) (*members, error) {
	z := inflate.NewGzip()
	if block != nil {
		z.OnBlock(block)
	}
	return &members{in: in, z: z, count: 1}, z.Reset(in)
}

func (m *members) Read(p []byte) (int, error) {
	for {
		n, err := m.z.Read(p)
		if n > 0 || err != io.EOF {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		magic, err := m.in.Peek(2)
		if len(magic) == 0 {
			return 0, io.EOF
		}
		if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
			m.trailing = true
			return 0, io.EOF
		}
		if err := m.z.Reset(m.in); err != nil {
			return 0, err
		}
		m.count++
	}
}

// meter counts and hashes what is read through it.
type meter struct {
	r        io.Reader
	h        hash.Hash
	n        int64
	err      error // that ended the reading, io.EOF aside
	progress func(int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.h.Write(p[:n])
	m.n += int64(n)
	if m.progress != nil && n > 0 {
		m.progress(int64(n))
	}
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

func (m *meter) sum() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(m.h.Sum(nil))}
}

// cancelable ends a read when its context does.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
