package archive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// s3 serves one object at URLs that expire, and fails as it is told.
type s3 struct {
	*httptest.Server
	data []byte
	sum  string

	mu       sync.Mutex
	token    int // the only one that is accepted
	located  int
	ranges   []string
	fault    func(n int, w http.ResponseWriter, r *http.Request) bool // true: it has answered request n, counted from 1
	etag     string
	hideSize bool
}

func serve(t testing.TB, data []byte) *s3 {
	sum := sha256.Sum256(data)
	s := &s3{data: data, sum: base64.StdEncoding.EncodeToString(sum[:]), etag: `"one"`}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *s3) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	n, fault, etag := len(s.ranges), s.fault, s.etag
	accepted := r.URL.Query().Get("X-Amz-Signature") == fmt.Sprintf("SECRET%d", s.token)
	s.mu.Unlock()
	if !accepted {
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
		return
	}
	if fault != nil && fault(n, w, r) {
		return
	}
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
}

// expire makes every URL given out so far useless.
func (s *s3) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token++
}

func (s *s3) locate(context.Context) (Location, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.located++
	loc := Location{URL: fmt.Sprintf("%s/object?X-Amz-Signature=SECRET%d", s.URL, s.token), SHA256: s.sum, Size: int64(len(s.data))}
	if s.hideSize {
		loc.Size = 0
	}
	return loc, nil
}

func (s *s3) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ranges)
}

// remote is what Open makes, without the waits between tries.
func (s *s3) remote(t testing.TB) *remote {
	r := newRemote(t.Context(), s.Client(), "layer", s.locate)
	r.backoff = func(int) time.Duration { return 0 }
	return r
}

func (s *s3) open(t testing.TB) *Archive {
	t.Helper()
	a, err := open(t.Context(), s.remote(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}

// bigZip has a directory that does not fit in the smallest tail.
func bigZip(t testing.TB, entries, bytesEach int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	body := noise(bytesEach)
	for i := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("nodejs/node_modules/package-%05d/lib/index.js", i), Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestDirectoryInTwoRequests(t *testing.T) {
	for _, c := range []struct {
		entries, each int
		hideSize      bool
		want          int
	}{
		{entries: 10, each: 100, want: 1},
		{entries: 300, each: 30_000, want: 1},  // 30 KB of directory
		{entries: 8000, each: 10, want: 2},     // 750 KB
		{entries: 5000, each: 10_000, want: 2}, // a layer of 50 MB
		{entries: 500, each: 100_000, want: 1}, // another one
		{entries: 8000, each: 10, hideSize: true, want: 2},
		{entries: 70_000, each: 0, want: 2}, // zip64
	} {
		s := serve(t, bigZip(t, c.entries, c.each))
		s.hideSize = c.hideSize
		a := s.open(t)
		dir, err := zipdir.Read("layer", a, a.Size())
		if err != nil {
			t.Fatal(err)
		}
		if len(dir.Entries) != c.entries || a.Size() != int64(len(s.data)) {
			t.Errorf("%+v: %d entries of %d bytes", c, len(dir.Entries), a.Size())
		}
		if got := s.asked(); len(got) != c.want || a.Requests() != c.want {
			t.Errorf("%+v: asked %q, counted %d", c, got, a.Requests())
		}
		const endRecord = 22
		directory := int64(len(s.data)) - zipStart(t, s.data) - endRecord
		if limit := directory + 64<<10; a.Fetched() > limit {
			t.Errorf("%+v: fetched %d bytes, the directory has %d", c, a.Fetched(), directory)
		}
		if total := int64(c.entries) * int64(c.each); dir.Unzipped != total {
			t.Errorf("%+v: %d bytes unzipped, not %d", c, dir.Unzipped, total)
		}
	}
}

// zipStart is where the central directory starts.
func zipStart(t testing.TB, data []byte) int64 {
	t.Helper()
	i := bytes.Index(data, []byte("PK\x01\x02"))
	if i < 0 {
		t.Fatal("no directory")
	}
	return int64(i)
}

func TestReadAt(t *testing.T) {
	data := noise(5 << 20)
	s := serve(t, data)
	a := s.open(t)
	check := func(off int64, n int) {
		t.Helper()
		p := make([]byte, n)
		got, err := a.ReadAt(p, off)
		want := data[min(off, int64(len(data))):min(off+int64(n), int64(len(data)))]
		if !bytes.Equal(p[:got], want) {
			t.Fatalf("ReadAt(%d bytes, %d) gave %d other bytes, %v", n, off, got, err)
		}
		if wantErr := len(want) < n; (err == io.EOF) != wantErr || (err != nil) != wantErr {
			t.Fatalf("ReadAt(%d bytes, %d) of %d: %v", n, off, len(data), err)
		}
	}
	check(0, 10)
	check(int64(len(data))-5, 10)
	check(int64(len(data)), 1)
	check(int64(len(data))+100, 1)
	check(0, len(data)+1)
	check(100, 5<<20-200)
	for range 200 {
		off := rand.Int64N(int64(len(data)))
		check(off, rand.IntN(min(1<<20, len(data)-int(off)))+1)
	}
	if _, err := a.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset is accepted")
	}
}

func TestSmallReadsAreGathered(t *testing.T) {
	data := noise(20 << 20)
	s := serve(t, data)
	a := s.open(t)
	before := a.Requests()
	got, err := io.ReadAll(bufReader{io.NewSectionReader(a, 0, 16<<20)})
	if err != nil || !bytes.Equal(got, data[:16<<20]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	// 128 KiB doubling to 4 MiB: 5 steps to 4 MiB, then 3 more.
	if n := a.Requests() - before; n > 10 {
		t.Errorf("%d requests for 16 MiB read 4 KiB at a time", n)
	}
	before = a.Requests()
	if _, err := a.ReadAt(make([]byte, 8<<20), 1<<20); err != nil {
		t.Fatal(err)
	}
	if n := a.Requests() - before; n > 3 {
		t.Errorf("%d requests for one large read", n)
	}
}

// bufReader reads 4 KiB at a time, as bufio does.
type bufReader struct{ r io.Reader }

func (b bufReader) Read(p []byte) (int, error) { return b.r.Read(p[:min(len(p), 4096)]) }

func TestRangeIgnored(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	whole := func(_ int, w http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Range")
		return false
	}
	for _, size := range []int{0, 1000, 3 << 20} {
		s := serve(t, noise(size))
		s.fault = whole
		a := s.open(t)
		p := make([]byte, size)
		if _, err := a.ReadAt(p, 0); err != nil || !bytes.Equal(p, s.data) {
			t.Errorf("%d bytes: %v", size, err)
		}
		if n := len(s.asked()); n != 1 {
			t.Errorf("%d bytes: %d requests", size, n)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	// Half-way through, too.
	s := serve(t, noise(3<<20))
	a := s.open(t)
	s.mu.Lock()
	s.fault = whole
	s.mu.Unlock()
	p := make([]byte, 3<<20)
	if _, err := a.ReadAt(p, 0); err != nil || !bytes.Equal(p, s.data) {
		t.Error(err)
	}
	if _, err := a.ReadAt(p, 0); err != nil || len(s.asked()) != 2 {
		t.Error("the whole was asked for again", s.asked(), err)
	}
	// Never more than was announced.
	s = serve(t, noise(3<<20))
	s.fault = whole
	r := s.remote(t)
	r.locate = func(ctx context.Context) (Location, error) {
		loc, err := s.locate(ctx)
		loc.Size = 1 << 20
		return loc, err
	}
	if _, err := open(t.Context(), r); err == nil || len(s.asked()) != 1 {
		t.Errorf("three times the announced size was accepted: %v", err)
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestExpiredURL(t *testing.T) {
	s := serve(t, noise(8<<20))
	a := s.open(t)
	s.expire()
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			p := make([]byte, maxBlock)
			off := int64(i) * 100_000
			if _, err := a.ReadAt(p, off); err != nil || !bytes.Equal(p, s.data[off:off+maxBlock]) {
				t.Error(err)
			}
		})
	}
	readers.Wait()
	if s.located != 2 {
		t.Errorf("asked for %d URLs, not for one more after the expiry", s.located)
	}
}

func TestRefused(t *testing.T) {
	s := serve(t, noise(1<<20))
	s.token = -1
	r := s.remote(t)
	r.locate = func(context.Context) (Location, error) {
		s.mu.Lock()
		s.located++
		s.mu.Unlock()
		return Location{URL: s.URL + "/object?X-Amz-Signature=SECRETx"}, nil
	}
	_, err := open(t.Context(), r)
	var status *StatusError
	if !errors.As(err, &status) || status.Status != 403 || s.located != 2 {
		t.Errorf("%v after %d URLs", err, s.located)
	}
	noSecret(t, err)
}

func noSecret(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
	} else if strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "X-Amz") {
		t.Errorf("the URL is in the error: %v", err)
	}
}

// cut sends half of what it promises and breaks the connection.
func cut(data []byte, w http.ResponseWriter, r *http.Request) {
	var from, to int
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil {
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=-%d", &to); n == 1 {
			from, to = max(0, len(data)-to), len(data)-1
		} else if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); n == 1 {
			to = len(data) - 1
		} else {
			from, to = 0, len(data)-1
		}
	}
	part := data[from : to+1]
	w.Header().Set("Content-Length", fmt.Sprint(len(part)))
	if r.Header.Get("Range") != "" {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(data)))
		w.WriteHeader(http.StatusPartialContent)
	}
	_, _ = w.Write(part[:len(part)/2])
	panic(http.ErrAbortHandler)
}

func TestFaultsThatPass(t *testing.T) {
	faults := map[string]func(s *s3, w http.ResponseWriter, r *http.Request){
		"500": func(_ *s3, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
		"503": func(_ *s3, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "SlowDown", http.StatusServiceUnavailable)
		},
		"429":   func(_ *s3, w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow", http.StatusTooManyRequests) },
		"reset": func(_ *s3, _ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"cut":   func(s *s3, w http.ResponseWriter, r *http.Request) { cut(s.data, w, r) },
	}
	for name, fault := range faults {
		for _, at := range []int{1, 2, 3} {
			s := serve(t, noise(2<<20))
			s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n == at || n == at+1 {
					fault(s, w, r)
					return true
				}
				return false
			}
			a := s.open(t)
			p := make([]byte, len(s.data))
			if _, err := a.ReadAt(p, 0); err != nil || !bytes.Equal(p, s.data) {
				t.Errorf("%s at request %d: %v", name, at, err)
			}
		}
	}
}

func TestFaultsThatStay(t *testing.T) {
	for name, fault := range map[string]func(s *s3, w http.ResponseWriter, r *http.Request){
		"500":   func(_ *s3, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) },
		"404":   func(_ *s3, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 404) },
		"reset": func(_ *s3, _ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"lie": func(s *s3, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 7-9/10000000")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write([]byte("abc"))
		},
		"silent part": func(s *s3, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(s.data)
		},
	} {
		for _, from := range []int{1, 2} {
			s := serve(t, noise(2<<20))
			s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n < from {
					return false
				}
				fault(s, w, r)
				return true
			}
			a, err := open(t.Context(), s.remote(t))
			if err == nil {
				_, err = a.ReadAt(make([]byte, 100), 0)
			}
			noSecret(t, err)
			// net/http itself repeats a request whose kept-alive connection broke.
			if n := len(s.asked()); n > from-1+2*attempts {
				t.Errorf("%s: %d requests", name, n)
			}
		}
	}
}

func TestChangedArchive(t *testing.T) {
	s := serve(t, noise(2<<20))
	a := s.open(t)
	s.mu.Lock()
	s.etag = `"two"`
	s.mu.Unlock()
	_, err := a.ReadAt(make([]byte, 100), 0)
	if err == nil || !strings.Contains(err.Error(), "changed") {
		t.Errorf("another object under the same address was read: %v", err)
	}
}

func TestStalledTransfer(t *testing.T) {
	s := serve(t, noise(2<<20))
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n != 1 {
			return false
		}
		w.Header().Set("Content-Length", "100")
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(s.data)-100, len(s.data)-1, len(s.data)))
		w.WriteHeader(http.StatusPartialContent)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	}
	r := s.remote(t)
	r.stall = 20 * time.Millisecond
	a, err := open(t.Context(), r)
	if err != nil || a.Size() != int64(len(s.data)) {
		t.Fatalf("a stalled transfer was not tried again: %v", err)
	}
}

func TestCancel(t *testing.T) {
	s := serve(t, noise(2<<20))
	ctx, cancel := context.WithCancel(t.Context())
	s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	}
	a, err := Open(ctx, s.Client(), "layer", s.locate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.ReadAt(make([]byte, 100), 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestEmptyArchive(t *testing.T) {
	s := serve(t, nil)
	s.fault = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Range", "bytes */0")
		http.Error(w, "InvalidRange", http.StatusRequestedRangeNotSatisfiable)
		return true
	}
	a := s.open(t)
	if a.Size() != 0 {
		t.Error(a.Size())
	}
	if _, err := a.ReadAt(make([]byte, 1), 0); err != io.EOF {
		t.Error(err)
	}
	if _, err := zipdir.Read("layer", a, a.Size()); err == nil {
		t.Error("an empty object passes for a zip")
	}
}
