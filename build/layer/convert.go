package layer

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
)

// convert writes the layout to w.
func (l *layout) convert(ctx context.Context, w io.Writer, progress func(int64)) (Result, error) {
	blob := &hashing{w: w, h: sha256.New()}
	zw := gzip.NewWriter(blob)
	diff := &hashing{w: zw, h: sha256.New()}
	tw := tar.NewWriter(diff)
	buf := make([]byte, 64<<10)
	var done int64
	for i := range l.records {
		r := &l.records[i]
		if err := tw.WriteHeader(l.header(r)); err != nil {
			return Result{}, fmt.Errorf("convert %s: %s: %w", l.src.Name, r.name, err)
		}
		if r.entry == nil {
			continue
		}
		rc, err := l.src.Dir.Open(r.entry)
		if err != nil {
			return Result{}, err
		}
		_, err = io.CopyBuffer(tw, &cancelable{ctx, rc}, buf)
		rc.Close()
		if err != nil {
			return Result{}, fmt.Errorf("convert %s: %s: %w", l.src.Name, r.name, err)
		}
		if done += r.entry.CompressedSize; progress != nil {
			progress(done)
		}
	}
	if err := tw.Close(); err != nil {
		return Result{}, fmt.Errorf("convert %s: %w", l.src.Name, err)
	}
	if err := zw.Close(); err != nil {
		return Result{}, fmt.Errorf("convert %s: %w", l.src.Name, err)
	}
	return Result{
		Digest: blob.sum(), DiffID: diff.sum(), Size: blob.n, Uncompressed: diff.n,
		Files: l.files, Repairs: l.repairs,
	}, nil
}

type hashing struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (x *hashing) Write(p []byte) (int, error) {
	n, err := x.w.Write(p)
	x.h.Write(p[:n])
	x.n += int64(n)
	return n, err
}

func (x *hashing) sum() v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(x.h.Sum(nil))}
}

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

// chunkSize is how much is read and handed on at once.
const chunkSize = 256 << 10
