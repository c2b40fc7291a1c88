package layer

import (
	"compress/gzip"
	"errors"
	"io"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/stream"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Growing is an image layer while it is converted. It implements v1.Layer:
// Compressed follows the conversion and ends where it ends. Until then Digest,
// DiffID and Size answer stream.ErrNotComputed, as go-containerregistry expects
// of a layer that it uploads without knowing it beforehand.
//
// The end is reached only after the source has been verified and the layer is in
// the store: if anything fails, readers get an error instead. It may be read by
// several goroutines, from the start each time.
type Growing struct {
	source Source
	file   io.ReaderAt

	mu    sync.Mutex
	moved sync.Cond
	n     int64 // bytes of file that can be read
	ended bool
	res   Result
	err   error
}

// growth writes a conversion's result, and says so to who reads it.
type growth struct {
	w io.Writer
	g *Growing
}

func grow(src Source, file interface {
	io.Writer
	io.ReaderAt
}) growth {
	g := &Growing{source: src, file: file}
	g.moved.L = &g.mu
	return growth{file, g}
}

func (g growth) Write(p []byte) (int, error) {
	n, err := g.w.Write(p)
	g.g.mu.Lock()
	g.g.n += int64(n)
	g.g.mu.Unlock()
	g.g.moved.Broadcast()
	return n, err
}

// end lets readers reach the end, or fails them with err.
func (g growth) end(res Result, err error) {
	g.g.mu.Lock()
	g.g.ended, g.g.res = true, res
	if err != nil {
		// Without what it wraps: a broken source is no broken connection, after
		// which an uploader would try again.
		g.g.err = errors.New(err.Error())
	}
	g.g.mu.Unlock()
	g.g.moved.Broadcast()
}

// Source is what is converted.
func (g *Growing) Source() Source { return g.source }

func (g *Growing) result() (Result, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		return Result{}, stream.ErrNotComputed
	}
	return g.res, g.err
}

// Digest is the SHA-256 of the compressed bytes.
func (g *Growing) Digest() (v1.Hash, error) { r, err := g.result(); return r.Digest, err }

// DiffID is the SHA-256 of the tar.
func (g *Growing) DiffID() (v1.Hash, error) { r, err := g.result(); return r.DiffID, err }

// Size is the number of compressed bytes.
func (g *Growing) Size() (int64, error) { r, err := g.result(); return r.Size, err }

// MediaType is Docker's.
func (g *Growing) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }

// Compressed reads the gzip file from its start, waiting for what is not there yet.
func (g *Growing) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(&follower{g: g}), nil
}

// Uncompressed reads the tar.
func (g *Growing) Uncompressed() (io.ReadCloser, error) { return gzip.NewReader(&follower{g: g}) }

// follower reads a growing layer.
type follower struct {
	g   *Growing
	off int64
}

func (f *follower) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	f.g.mu.Lock()
	for f.g.n <= f.off && !f.g.ended {
		f.g.moved.Wait()
	}
	there, err := f.g.n, f.g.err
	f.g.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if there <= f.off {
		return 0, io.EOF
	}
	n, err := f.g.file.ReadAt(p[:min(int64(len(p)), there-f.off)], f.off)
	f.off += int64(n)
	if n > 0 {
		return n, nil
	}
	// The file of a conversion that has failed meanwhile may be closed.
	if _, failed := f.g.result(); failed != nil && !errors.Is(failed, stream.ErrNotComputed) {
		err = failed
	}
	return 0, err
}
