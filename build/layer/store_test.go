package layer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func openStore(t testing.TB, dir string, max int64) *Store {
	t.Helper()
	s, err := OpenStore(dir, max)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stored(t testing.TB, s *Store, src Source) *Layer {
	t.Helper()
	l, err := s.Convert(context.Background(), src, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// numbered is the i-th of many archives, all of one size.
func numbered(t testing.TB, i int) Source {
	archive := ziptest.Bytes(ziptest.File("f", fmt.Sprintf("%08d%s", i, strings.Repeat("x", 20000))))
	src := source(t, Opt, archive)
	src.SHA256 = sum(archive)
	return src
}

// files is what the store holds, but for its lock.
func files(t testing.TB, dir string) []string {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range all {
		if f.Name() != "lock" {
			names = append(names, f.Name())
		}
	}
	return names
}

func blobPath(t testing.TB, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"+blobSuffix))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, err %v", found, err)
	}
	return found[0]
}

func TestStoreServesWhatItMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "layers")
	s := openStore(t, dir, 1<<30)
	archive := fixed()
	src := source(t, Opt, archive)
	src.SHA256 = sum(archive)
	var last int64
	first, err := s.Convert(context.Background(), src, Options{}, func(n int64) {
		if n < last {
			t.Errorf("progress went from %d to %d", last, n)
		}
		last = n
	})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if last != int64(len(archive)) {
		t.Errorf("progress ended at %d of %d", last, len(archive))
	}
	if err := validate.Layer(first); err != nil {
		t.Error(err)
	}
	if mt, err := first.MediaType(); mt != types.DockerLayer || err != nil {
		t.Errorf("media type %q, %v", mt, err)
	}
	oci := first.WithMediaType(types.OCILayer)
	if mt, err := oci.MediaType(); mt != types.OCILayer || err != nil {
		t.Errorf("media type %q, %v", mt, err)
	}
	if err := validate.Layer(oci); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the store's directory: %v, %v", info.Mode(), err)
	}

	// A source that can't be read any more proves where the second comes from.
	unreadable, err := zipdir.Read("a.zip", bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	if err := unreadable.ReadLinks(); err != nil {
		t.Fatal(err)
	}
	second, err := openStore(t, dir, 1<<30).Convert(context.Background(), Source{Name: "other name", Dir: unreadable, Root: Opt, SHA256: src.SHA256}, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Result.Digest != first.Result.Digest || len(second.Repairs) != len(first.Repairs) {
		t.Errorf("%+v, first it was %+v", second.Result, first.Result)
	}
	if u, err := s.Usage(); err != nil || u.Layers != 1 || u.Bytes != first.Result.Size {
		t.Errorf("usage %+v, %v", u, err)
	}
}

func TestStoreKey(t *testing.T) {
	archive := fixed()
	src := source(t, Opt, archive)
	src.SHA256 = sum(archive)
	key := func(src Source, o Options) string {
		l, err := newLayout(src, o)
		if err != nil {
			t.Fatal(err)
		}
		return l.key()
	}
	base := key(src, Options{})
	task, other := src, src
	task.Root = Task
	other.SHA256 = strings.Repeat("0", 64)
	for name, k := range map[string]string{
		"root": key(task, Options{}), "archive": key(other, Options{}), "time": key(src, Options{Time: time.Unix(1, 0)}),
		"links":   key(src, Options{Links: []Link{{"/var/runtime/bootstrap", "/opt/bootstrap"}}}),
		"wrapper": key(src, Options{Executables: []string{"/opt/extensions/agent"}}),
	} {
		if k == base {
			t.Errorf("another %s has the same key", name)
		}
	}
	named := src
	named.Name = "another name"
	if key(named, Options{Executables: []string{"/opt/not/there"}, Time: time.Unix(0, 5)}) != base {
		t.Error("what changes no byte changes the key")
	}
}

func TestStoreRebuildsWhatIsDamaged(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"one bit": func(t *testing.T, path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[len(b)/2] ^= 1
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Now(), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		},
		"cut":   func(t *testing.T, path string) { must(t, os.Truncate(path, 100)) },
		"gone":  func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"empty": func(t *testing.T, path string) { must(t, os.Truncate(path, 0)) },
		"description": func(t *testing.T, path string) {
			must(t, os.WriteFile(strings.TrimSuffix(path, blobSuffix)+metaSuffix, []byte(`{"size":`), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir, 1<<30)
			src := numbered(t, 1)
			want := stored(t, s, src).Result
			damage(t, blobPath(t, dir))
			for _, store := range []*Store{s, openStore(t, dir, 1<<30)} {
				l := stored(t, store, src)
				if l.Result.Digest != want.Digest {
					t.Errorf("digest %s, want %s", l.Result.Digest, want.Digest)
				}
				if err := validate.Layer(l); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStoreEvicts(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, 1<<30)
	var size int64
	for i := range 4 {
		l := stored(t, s, numbered(t, i))
		size = l.Result.Size
		must(t, l.Close())
		// Eviction goes by time, which is too coarse to tell these apart.
		meta := filepath.Join(dir, mustKey(t, numbered(t, i))+metaSuffix)
		must(t, os.Chtimes(meta, time.Unix(int64(1000+i), 0), time.Unix(int64(1000+i), 0)))
	}
	used := stored(t, s, numbered(t, 0)) // now the one used last
	held := stored(t, s, numbered(t, 1))
	must(t, os.Chtimes(filepath.Join(dir, mustKey(t, numbered(t, 1))+metaSuffix), time.Unix(1, 0), time.Unix(1, 0)))

	removed, err := s.Prune(context.Background(), 2*size+size/2)
	if err != nil || removed.Layers != 2 || removed.Bytes != 2*size {
		t.Errorf("removed %+v, %v", removed, err)
	}
	for i, want := range []bool{true, true, false, false} { // 1 is the oldest, but in use
		_, err := os.Stat(filepath.Join(dir, mustKey(t, numbered(t, i))+blobSuffix))
		if (err == nil) != want {
			t.Errorf("layer %d: there %v, want %v", i, err == nil, want)
		}
	}
	if removed, err := s.Prune(context.Background(), 0); err != nil || removed.Layers != 0 {
		t.Errorf("removed %+v, %v: both are in use", removed, err)
	}
	must(t, used.Close())
	must(t, held.Close())

	// The cap holds without being asked.
	small := openStore(t, dir, size)
	if u, err := small.Usage(); err != nil || u.Layers != 1 {
		t.Errorf("opened with a cap for one: %+v, %v", u, err)
	}
	l := stored(t, small, numbered(t, 9))
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if err := validate.Layer(l); err != nil {
		t.Error(err)
	}
}

func mustKey(t testing.TB, src Source) string {
	t.Helper()
	l, err := newLayout(src, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l.key()
}

func TestStoreKeepsNothingOfFailures(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, 1<<30)
	broken := ziptest.Bytes(ziptest.File("a", strings.Repeat("x", 1<<20)), ziptest.File("f", "x").Both(func(h *ziptest.Header) { h.CRC++ }))
	src := source(t, Opt, broken)
	for _, hash := range []string{"", sum(broken)} {
		src.SHA256 = hash
		var refusal *zipdir.Error
		if _, err := s.Convert(context.Background(), src, Options{}, nil); !errors.As(err, &refusal) {
			t.Errorf("err %v", err)
		}
		if got := files(t, dir); len(got) != 0 {
			t.Errorf("a failure left %v", got)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	good := numbered(t, 1)
	for _, hash := range []string{"", good.SHA256} {
		good.SHA256 = hash
		if _, err := s.Convert(ctx, good, Options{}, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
			t.Errorf("err %v", err)
		}
		if got := files(t, dir); len(got) != 0 {
			t.Errorf("a cancelled conversion left %v", got)
		}
	}
	good.SHA256 = ""
	l := stored(t, s, good)
	if err := validate.Layer(l); err != nil {
		t.Error(err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("an archive without a hash was stored: %v", got)
	}
}

func TestStoreRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, 1<<30)
	l := stored(t, s, numbered(t, 1))
	running, err := s.claim(context.Background(), "running")
	must(t, err)
	defer running.Close()
	for _, name := range []string{"killed" + partSuffix, "lonely" + blobSuffix, "lonely2" + metaSuffix, "x" + tempSuffix} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
	openStore(t, dir, 1<<30)
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("left: %v; want one layer and the part that is being written", got)
	}
	if err := validate.Layer(l); err != nil {
		t.Error(err)
	}
}

func TestStoreConvertsOnce(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	reads := &countingReader{}
	archive := ziptest.Bytes(ziptest.File("f", strings.Repeat("content", 100000)))
	reads.r = bytes.NewReader(archive)
	d, err := zipdir.Read("a.zip", reads, int64(len(archive)))
	must(t, err)
	reads.n = 0
	for range 8 {
		s := openStore(t, dir, 1<<30)
		all.Go(func() {
			l, err := s.Convert(context.Background(), Source{Name: "a.zip", Dir: d, Root: Opt, SHA256: sum(archive)}, Options{}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if err := validate.Layer(l); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if reads.n > int64(len(archive)) {
		t.Errorf("%d bytes of an archive of %d were read", reads.n, len(archive))
	}
}

type countingReader struct {
	r  io.ReaderAt
	mu sync.Mutex
	n  int64
}

func (c *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.mu.Lock()
	c.n += int64(n)
	c.mu.Unlock()
	return n, err
}

// Several processes on one store, some of them killed in the middle.
func TestStoreProcesses(t *testing.T) {
	if dir := os.Getenv("LAYER_STORE"); dir != "" {
		child(t, dir)
		return
	}
	exe, err := os.Executable()
	must(t, err)
	dir := t.TempDir()
	start := func() *exec.Cmd {
		c := exec.Command(exe, "-test.run=^TestStoreProcesses$")
		c.Env = append(os.Environ(), "LAYER_STORE="+dir)
		return c
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if out, err := start().CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	killed := start()
	out, err := killed.StdoutPipe()
	must(t, err)
	must(t, killed.Start())
	_, _ = out.Read(make([]byte, 1)) // it has made a layer
	must(t, killed.Process.Kill())
	_ = killed.Wait()
	all.Wait()
	s := openStore(t, dir, 1<<30)
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, partSuffix) || strings.HasSuffix(name, tempSuffix) {
			t.Errorf("%s is left", name)
		}
	}
	if u, err := s.Usage(); err != nil || u.Layers == 0 {
		t.Errorf("usage %+v, %v", u, err)
	}
}

func child(t *testing.T, dir string) {
	s := openStore(t, dir, 60_000) // room for a few
	for i := range 40 {
		l, err := s.Convert(context.Background(), numbered(t, i%8), Options{}, nil)
		must(t, err)
		must(t, validate.Layer(l))
		must(t, l.Close())
		fmt.Println(i)
	}
}
