package layer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/stream"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// arrived is what a reader of a growing layer got.
type arrived struct {
	data []byte
	err  error
}

// following returns a begun function and what its reader will have got.
func following() (func(*Growing), chan *Growing, chan arrived) {
	layers, got := make(chan *Growing, 1), make(chan arrived, 1)
	return func(g *Growing) {
		layers <- g
		go func() {
			r, err := g.Compressed()
			if err == nil {
				var a arrived
				a.data, a.err = io.ReadAll(r)
				err = errors.Join(a.err, r.Close())
				got <- arrived{a.data, err}
				return
			}
			got <- arrived{nil, err}
		}()
	}, layers, got
}

func TestGrowing(t *testing.T) {
	archive := ziptest.Bytes(ziptest.File("a", strings.Repeat("some text. ", 300_000)), ziptest.Link("b", "a"), ziptest.File("c", "end"))
	for _, known := range []bool{true, false} {
		dir := t.TempDir()
		s := openStore(t, dir, 1<<30)
		src := source(t, Opt, archive)
		if known {
			src.SHA256 = sum(archive)
		}
		begun, layers, got := following()
		src.Verify = func(context.Context) error {
			g := <-layers
			layers <- g
			// All is written, and still it is not finished.
			if _, err := g.Digest(); !errors.Is(err, stream.ErrNotComputed) {
				t.Errorf("the digest is known before the archive is verified: %v", err)
			}
			if _, err := g.Size(); !errors.Is(err, stream.ErrNotComputed) {
				t.Errorf("the size is known before the archive is verified: %v", err)
			}
			select {
			case a := <-got:
				t.Errorf("the end was read before the archive was verified: %d bytes, %v", len(a.data), a.err)
			default:
			}
			if names := files(t, dir); known && (len(names) != 1 || !strings.HasSuffix(names[0], partSuffix)) {
				t.Errorf("the store holds %q before the archive is verified", names)
			}
			return nil
		}
		l, err := s.ConvertFollowed(t.Context(), src, Options{}, nil, begun)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		a, g := <-got, <-layers
		if want := must1(io.ReadAll(must1(l.Compressed()))); a.err != nil || !bytes.Equal(a.data, want) {
			t.Errorf("%d bytes of %d, %v", len(a.data), len(want), a.err)
		}
		if err := validate.Layer(g); err != nil {
			t.Error(err)
		}
		if !known {
			continue
		}
		src.Verify = nil
		again, err := s.ConvertFollowed(t.Context(), src, Options{}, nil, func(*Growing) { t.Error("a layer that the store has is converted") })
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestGrowingFails(t *testing.T) {
	good := ziptest.Bytes(ziptest.File("a", strings.Repeat("some text. ", 3000)))
	broken := ziptest.Bytes(ziptest.File("a", strings.Repeat("some text. ", 3000)).Both(func(h *ziptest.Header) { h.CRC ^= 1 }))
	forged := errors.New("its SHA-256 is another")
	for name, c := range map[string]struct {
		archive []byte
		verify  error
		cancel  bool
		want    string
	}{
		"the wrong archive":            {archive: good, verify: forged, want: "SHA-256"},
		"a broken archive":             {archive: broken, want: string(zipdir.RuleCRC)},
		"a broken and wrong archive":   {archive: broken, verify: forged, want: "SHA-256"},
		"cut connection at the end":    {archive: good, verify: io.ErrUnexpectedEOF, want: "EOF"},
		"cancelled during the waiting": {archive: good, cancel: true, want: "canceled"},
	} {
		for _, known := range []bool{true, false} {
			dir := t.TempDir()
			s := openStore(t, dir, 1<<30)
			src := source(t, Opt, c.archive)
			if known {
				src.SHA256 = sum(c.archive)
			}
			ctx, cancel := context.WithCancel(t.Context())
			src.Verify = func(ctx context.Context) error {
				if c.cancel {
					cancel()
					return ctx.Err()
				}
				return c.verify
			}
			begun, layers, got := following()
			l, err := s.ConvertFollowed(ctx, src, Options{}, nil, begun)
			cancel()
			if err == nil || l != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", name, err, c.want)
			}
			a, g := <-got, <-layers
			if a.err == nil || !strings.Contains(a.err.Error(), c.want) {
				t.Errorf("%s: its reader got %d bytes and %v", name, len(a.data), a.err)
			}
			if errors.Is(a.err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: looks like a broken connection: %v", name, a.err)
			}
			if _, err := g.Digest(); err == nil {
				t.Errorf("%s: it has a digest", name)
			}
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("%s: left behind: %q", name, left)
			}
		}
	}
}
