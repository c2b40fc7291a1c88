package archive

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
)

// isWhole tells the request for the archive's body from those for its end.
func isWhole(r *http.Request) bool { return r.Header.Get("Range") == "" }

// withoutRange answers as a server that ignores Range.
func withoutRange(s *s3, w http.ResponseWriter, r *http.Request) {
	r.Header.Del("Range")
	w.Header().Set("ETag", s.etag)
	http.ServeContent(w, r, "", modTime, bytes.NewReader(s.data))
}

func TestStreamReadsWhatHasArrived(t *testing.T) {
	data := bigZip(t, 3000, 1000) // 3 MB, 200 KB of them directory
	half := len(data) / 2
	rest := make(chan struct{})
	s := serve(t, data)
	s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if !isWhole(r) {
			return false
		}
		_, _ = w.Write(data[:half])
		_ = http.NewResponseController(w).Flush()
		<-rest
		_, _ = w.Write(data[half:])
		return true
	}
	let := sync.OnceFunc(func() { close(rest) })
	defer let()
	dir := t.TempDir()
	file := filepath.Join(dir, "layer.zip")
	a, err := follow(s.remote(t), file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	d, err := zipdir.Read("layer", a, a.Size())
	if err != nil || len(d.Entries) != 3000 {
		t.Fatal(err)
	}
	got := make([]byte, half)
	if n, err := a.ReadAt(got, 0); n != half || err != nil || !bytes.Equal(got, data[:half]) {
		t.Fatal(n, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := a.Verify(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("half of the archive is verified: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("half of the archive has its name")
	}
	let()
	// The end of what was asked for lies behind the end of the archive.
	got = make([]byte, len(data)-half+7)
	if n, err := a.ReadAt(got, int64(half)); n != len(data)-half || err != io.EOF || !bytes.Equal(got[:n], data[half:]) {
		t.Error(n, err)
	}
	if err := a.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Error("left behind:", left)
	}
	// It is read from its place as well.
	if n, err := a.ReadAt(got[:100], 50); n != 100 || err != nil || !bytes.Equal(got[:100], data[50:150]) {
		t.Error(n, err)
	}
}

func TestStream(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool
	}{
		"plain": {},
		"broken off": {func(s *s3, _ int, w http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				cut(s.data, w, r)
			}
			return false
		}},
		"expires half-way": {func(s *s3, _ int, w http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				s.expire()
				cut(s.data, w, r)
			}
			return false
		}},
		"500 first": {func(_ *s3, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n > 2 {
				return false
			}
			http.Error(w, "no", 500)
			return true
		}},
		"no ranges": {func(s *s3, _ int, w http.ResponseWriter, r *http.Request) bool { withoutRange(s, w, r); return true }},
		"no ranges after a break": {func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool {
			switch {
			case strings.HasPrefix(r.Header.Get("Range"), "bytes=-"):
				return false
			case n <= 2 && isWhole(r):
				cut(s.data, w, r)
			}
			withoutRange(s, w, r)
			return true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			data := bigZip(t, 8000, 100) // the directory does not fit in the first request
			s := serve(t, data)
			if c.fault != nil {
				s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return c.fault(s, n, w, r) }
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "layer.zip")
			a, err := follow(s.remote(t), file, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			d, err := zipdir.Read("layer", a, a.Size())
			if err != nil || len(d.Entries) != 8000 {
				t.Fatal(err)
			}
			// Several readers, one behind the other.
			var readers sync.WaitGroup
			for range 3 {
				readers.Go(func() {
					got, err := io.ReadAll(io.NewSectionReader(a, 0, a.Size()))
					if err != nil || !bytes.Equal(got, data) {
						t.Error("other bytes", err)
					}
				})
			}
			if err := a.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			readers.Wait()
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, data) {
				t.Error("other bytes on disk", err)
			}
			if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
				t.Error(info.Mode())
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Error("left behind:", left)
			}
		})
	}
}

func TestStreamRefuses(t *testing.T) {
	data := bigZip(t, 300, 5000)
	for name, c := range map[string]struct {
		sum    string
		fault  func(s *s3, w http.ResponseWriter, r *http.Request) bool
		cancel bool
		want   string
	}{
		"another SHA-256": {sum: base64.StdEncoding.EncodeToString(make([]byte, 32)), want: "SHA-256"},
		"no SHA-256":      {sum: "x", want: "no SHA-256 is known"},
		"another body": {fault: func(_ *s3, w http.ResponseWriter, r *http.Request) bool {
			if !isWhole(r) {
				return false
			}
			_, _ = w.Write(noise(len(data)))
			return true
		}, want: "SHA-256"},
		"another end": {fault: func(s *s3, w http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				return false
			}
			other := bytes.Clone(data)
			other[len(other)-len(other)/40] ^= 1
			http.ServeContent(w, r, "", modTime, bytes.NewReader(other))
			return true
		}, want: "changed"},
		"a longer end": {fault: func(s *s3, w http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				return false
			}
			http.ServeContent(w, r, "", modTime, bytes.NewReader(append([]byte{0}, data...)))
			return true
		}, want: "changed"},
		"breaks for ever": {fault: func(_ *s3, _ http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				panic(http.ErrAbortHandler)
			}
			return false
		}, want: "EOF"},
		"no end": {fault: func(s *s3, w http.ResponseWriter, r *http.Request) bool {
			if isWhole(r) {
				return false
			}
			http.Error(w, "no", 404)
			return true
		}, want: "404"},
		"cancelled": {cancel: true, want: "canceled"},
		"gone":      {fault: func(_ *s3, w http.ResponseWriter, _ *http.Request) bool { http.Error(w, "no", 404); return true }, want: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, data)
			if c.sum != "" {
				s.sum = c.sum
			}
			if c.fault != nil {
				s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool { return c.fault(s, w, r) }
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := newRemote(ctx, s.Client(), "code", s.locate)
			r.backoff = s.remote(t).backoff
			dir := t.TempDir()
			progress := func(done, _ int64) {
				if c.cancel && done > 0 {
					cancel()
				}
			}
			a, err := follow(r, filepath.Join(dir, "code.zip"), progress)
			if err == nil {
				_, _ = io.Copy(io.Discard, io.NewSectionReader(a, 0, a.Size())) // ends, one way or the other
				err = a.Wait(t.Context())
				if verr := a.Verify(t.Context()); verr == nil {
					t.Error("it is verified")
				}
				if _, err := a.ReadAt(make([]byte, a.Size()), 0); err == nil && c.want != "SHA-256" && c.want != "changed" {
					t.Error("all of it could be read")
				}
				_ = a.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			noSecret(t, err)
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Error("left behind:", left)
			}
		})
	}
}

func TestStreamClosedHalfWay(t *testing.T) {
	data := noise(1 << 20)
	s := serve(t, data)
	s.fault = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if !isWhole(r) {
			return false
		}
		_, _ = w.Write(data[:1000])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		return true
	}
	dir := t.TempDir()
	a, err := follow(s.remote(t), filepath.Join(dir, "code.zip"), nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		_, err := a.ReadAt(make([]byte, 2000), 0)
		failed <- err
	}()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("bytes that never came were read")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Error("left behind:", left)
	}
}
