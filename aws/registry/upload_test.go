package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// witness is a registry that remembers what it was asked.
type witness struct {
	*httptest.Server
	// patched, which may be nil, is told of bytes that arrive.
	patched func(n int)
	// refuse, which may be nil, answers a request by itself.
	refuse func(w http.ResponseWriter, r *http.Request) bool

	mu    sync.Mutex
	asked []string // "PUT blob sha256:…", "PUT manifest", "POST blob", "POST blob MOUNT from REPO"
}

func startWitness(t *testing.T) *witness {
	w := &witness{}
	next := ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)))
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		what := r.Method
		switch q := r.URL.Query(); {
		case strings.Contains(r.URL.Path, "/manifests/"):
			what += " manifest"
		case r.Method == http.MethodPut:
			what += " blob " + q.Get("digest")
		case q.Get("mount") != "":
			what += " blob MOUNT from " + q.Get("from")
		default:
			what += " blob"
		}
		w.mu.Lock()
		w.asked = append(w.asked, what)
		w.mu.Unlock()
		if w.refuse != nil && w.refuse(rw, r) {
			return
		}
		if r.Method == http.MethodPatch && w.patched != nil {
			r.Body = &told{r.Body, w.patched}
		}
		next.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

type told struct {
	io.ReadCloser
	tell func(int)
}

func (t *told) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.tell(n)
	return n, err
}

func (w *witness) count(prefix string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// repo is a repository there, as ensure functions answer it.
func (w *witness) repo(name string) func(context.Context) (registry.Repository, error) {
	return func(context.Context) (registry.Repository, error) {
		return registry.Repository{Name: name, URI: strings.TrimPrefix(w.URL, "http://") + "/" + name}, nil
	}
}

// source serves an archive whose first whole answer goes through script.
type source struct {
	*httptest.Server
	data   []byte
	sum    string
	script func(w http.ResponseWriter, r *http.Request)
	once   sync.Once
	mu     sync.Mutex
	valid  string // the only token that is accepted
}

func startSource(t *testing.T, data []byte) *source {
	sum := sha256.Sum256(data)
	s := &source{data: data, sum: base64.StdEncoding.EncodeToString(sum[:]), valid: "1"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		accepted := r.URL.Query().Get("token") == s.valid
		s.mu.Unlock()
		if !accepted {
			http.Error(w, "expired", http.StatusForbidden)
			return
		}
		if s.script != nil && r.Header.Get("Range") == "" {
			first := false
			if s.once.Do(func() { first = true }); first {
				s.script(w, r)
				return
			}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *source) locate(context.Context) (archive.Location, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return archive.Location{URL: s.URL + "?token=" + s.valid, SHA256: s.sum, Size: int64(len(s.data))}, nil
}

// send writes n bytes of the archive and makes sure that they leave.
func (s *source) send(w http.ResponseWriter, from, to int) {
	_, _ = w.Write(s.data[from:to])
	_ = http.NewResponseController(w).Flush()
}

// onePass takes an archive as a layer to a pushed image. It returns the
// directories of the backup and of the store.
func onePass(ctx context.Context, t *testing.T, c *registry.Client, s *source, w *witness) (backup, store string, err error) {
	t.Helper()
	backup, store = t.TempDir(), t.TempDir()
	sum, _ := base64.StdEncoding.DecodeString(s.sum)
	arriving, err := archive.Follow(ctx, s.Client(), "layer", s.locate, filepath.Join(backup, "layer.zip"), nil)
	if err != nil {
		return backup, store, err
	}
	defer arriving.Close()
	dir, err := zipdir.Read("layer", arriving, arriving.Size())
	if err != nil {
		return backup, store, err
	}
	index := ziptest.Bytes(ziptest.File("index.js", "exports.handler = async () => 1"))
	code, err := zipdir.Read("code", bytes.NewReader(index), int64(len(index)))
	if err != nil {
		t.Fatal(err)
	}
	req := image.Request{
		Runtime: "nodejs22.x", Handler: "index.handler", BaseRegistry: os.Getenv("OPTLIFT_BASE_REGISTRY"),
		Layers: []layer.Source{{Name: "layer", Dir: dir, SHA256: hex.EncodeToString(sum), Verify: arriving.Verify}},
		Code:   layer.Source{Name: "code", Dir: code},
	}
	if req.Store, err = layer.OpenStore(store, 1<<30); err != nil {
		t.Fatal(err)
	}
	sending := c.Uploader(ctx, w.repo("app"))
	defer sending.Close()
	req.Early = sending.Add
	built, err := image.Build(ctx, req)
	if err != nil {
		return backup, store, err
	}
	ref, err := sending.Push(ctx, "", built.Image, nil)
	if err != nil {
		return backup, store, err
	}
	if digest, _ := built.Image.Digest(); !strings.HasSuffix(ref, "/app@"+digest.String()) {
		t.Error(ref)
	}
	return backup, store, arriving.Wait(ctx)
}

// noisy is an archive that does not get smaller, and the digest of its layer.
func noisy(t *testing.T, size int, change func(ziptest.Entry) ziptest.Entry) ([]byte, string) {
	t.Helper()
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(noise)
	e := ziptest.File("lib/model.bin", string(noise))
	good := ziptest.Bytes(e, ziptest.Link("lib/latest", "model.bin"))
	dir, err := zipdir.Read("layer", bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := layer.Convert(t.Context(), io.Discard, layer.Source{Name: "layer", Dir: dir, Root: layer.Opt}, layer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		return good, res.Digest.String()
	}
	return ziptest.Bytes(change(e), ziptest.Link("lib/latest", "model.bin")), res.Digest.String()
}

func TestOnePass(t *testing.T) {
	a := sessiontest.Start(t)
	for name, c := range map[string]func(s *source, w *witness){
		"plain": func(*source, *witness) {},
		"upload goes on before the archive is there": func(s *source, w *witness) {
			var mu sync.Mutex
			arrived, begun := 0, make(chan struct{})
			w.patched = func(n int) {
				mu.Lock()
				defer mu.Unlock()
				if arrived < 1<<20 && arrived+n >= 1<<20 {
					close(begun)
				}
				arrived += n
			}
			s.script = func(w http.ResponseWriter, r *http.Request) {
				s.send(w, 0, len(s.data)*3/4)
				select { // a megabyte has reached the registry
				case <-begun:
				case <-r.Context().Done():
				}
				s.send(w, len(s.data)*3/4, len(s.data))
			}
		},
		"reset half-way": func(s *source, _ *witness) {
			s.script = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
				s.send(w, 0, len(s.data)/2)
				panic(http.ErrAbortHandler)
			}
		},
		"expired half-way": func(s *source, _ *witness) {
			s.script = func(w http.ResponseWriter, _ *http.Request) {
				s.mu.Lock()
				s.valid = "2"
				s.mu.Unlock()
				w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
				s.send(w, 0, len(s.data)/2)
				panic(http.ErrAbortHandler)
			}
		},
		"an upload is refused once": func(s *source, w *witness) {
			var once sync.Once
			done := make(chan struct{})
			w.refuse = func(rw http.ResponseWriter, r *http.Request) (refused bool) {
				if r.Method == http.MethodPatch && r.ContentLength < 0 { // one that grows
					once.Do(func() { refused = true; close(done) })
				}
				if refused {
					http.Error(rw, "no", http.StatusBadRequest)
				}
				return refused
			}
			s.script = func(w http.ResponseWriter, r *http.Request) {
				s.send(w, 0, len(s.data)*3/4)
				select { // an archive that is there at once is sent with its length, and does not grow
				case <-done:
				case <-r.Context().Done():
				}
				s.send(w, len(s.data)*3/4, len(s.data))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, digest := noisy(t, 3<<20, nil)
			s, w := startSource(t, data), startWitness(t)
			c(s, w)
			backup, _, err := onePass(t.Context(), t, registry.New(a.Session, sessiontest.Region), s, w)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(backup, "layer.zip")); err != nil || !bytes.Equal(got, data) {
				t.Error("the backup holds other bytes", err)
			}
			if n := w.count("PUT blob " + digest); n != 1 {
				t.Errorf("the layer was completed %d times: %q", n, w.asked)
			}
			if n := w.count("PUT manifest"); n != 1 {
				t.Errorf("%d manifests: %q", n, w.asked)
			}
			sent := w.count("PUT blob")
			if name == "an upload is refused once" {
				sent++
			}
			if n := w.count("POST"); n != sent {
				t.Errorf("%d uploads were begun for %d: %q", n, sent, w.asked)
			}
		})
	}
}

func TestOnePassNeverCompletesWhatIsWrong(t *testing.T) {
	a := sessiontest.Start(t)
	for name, c := range map[string]struct {
		change func(ziptest.Entry) ziptest.Entry
		script func(s *source, cancel func()) func(http.ResponseWriter, *http.Request)
		sum    string
		want   string
	}{
		"another SHA-256": {sum: base64.StdEncoding.EncodeToString(make([]byte, 32)), want: "SHA-256"},
		"a broken file": {change: func(e ziptest.Entry) ziptest.Entry {
			return e.Both(func(h *ziptest.Header) { h.CRC ^= 1 })
		}, want: string(zipdir.RuleCRC)},
		"cancelled half-way": {script: func(s *source, cancel func()) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, r *http.Request) {
				s.send(w, 0, len(s.data)/2)
				cancel()
				<-r.Context().Done()
			}
		}, want: "canceled"},
		"changed while it was read": {script: func(s *source, _ func()) func(http.ResponseWriter, *http.Request) {
			return func(w http.ResponseWriter, _ *http.Request) {
				other := bytes.Clone(s.data)
				other[len(other)/2] ^= 1
				_, _ = w.Write(other)
			}
		}, want: "SHA-256"},
	} {
		t.Run(name, func(t *testing.T) {
			data, digest := noisy(t, 3<<20, c.change)
			s, w := startSource(t, data), startWitness(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.script != nil {
				s.script = c.script(s, cancel)
			}
			if c.sum != "" {
				s.sum = c.sum
			}
			backup, store, err := onePass(ctx, t, registry.New(a.Session, sessiontest.Region), s, w)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if w.count("PUT blob "+digest) > 0 || w.count("PUT manifest") > 0 {
				t.Errorf("completed: %q", w.asked)
			}
			// A broken archive that is the right one may be kept.
			if left, _ := os.ReadDir(backup); len(left) > 0 && name != "a broken file" {
				t.Error("left in the backup:", left)
			}
			parts, _ := filepath.Glob(filepath.Join(store, "*.part"))
			descriptions, _ := filepath.Glob(filepath.Join(store, "*.json"))
			for _, d := range descriptions {
				if b, err := os.ReadFile(d); err != nil || bytes.Contains(b, []byte(digest)) {
					t.Errorf("the store has the layer: %s %v", b, err)
				}
			}
			if len(parts) > 0 {
				t.Error("left in the store:", parts)
			}
		})
	}
}

// opened is a layer that counts how often it is read.
type opened struct {
	v1.Layer
	n *atomic.Int32
}

func (o opened) Compressed() (io.ReadCloser, error) {
	o.n.Add(1)
	return o.Layer.Compressed()
}

func TestUploaderMountsWhatAnotherRepositoryHas(t *testing.T) {
	a := sessiontest.Start(t)
	for setting, want := range map[string]int32{"DISABLED": 2, "ENABLED": 1} {
		_, err := session.ECR(a.Session, sessiontest.Region).PutAccountSetting(t.Context(), &ecr.PutAccountSettingInput{Name: aws.String("BLOB_MOUNTING"), Value: &setting})
		if err != nil {
			t.Fatal(err)
		}
		c := registry.New(a.Session, sessiontest.Region)
		l, err := random.Layer(1000, types.DockerLayer)
		if err != nil {
			t.Fatal(err)
		}
		var reads atomic.Int32
		for _, repo := range []string{"one", "two"} {
			u := c.Uploader(t.Context(), func(ctx context.Context) (registry.Repository, error) { return c.Ensure(ctx, repo) })
			for range 3 {
				u.Add(opened{l, &reads})
			}
			if _, err := u.Push(t.Context(), "", picture(t, 9), nil); err != nil {
				t.Fatal(err)
			}
			if err := u.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := reads.Load(); n != want {
			t.Errorf("with mounting %s the layer was sent %d times, want %d", setting, n, want)
		}
	}
}

func TestUploaderOfAReadOnlySession(t *testing.T) {
	a := sessiontest.Start(t)
	w := startWitness(t)
	u := registry.New(a.Open(session.Options{}), sessiontest.Region).Uploader(t.Context(), func(context.Context) (registry.Repository, error) {
		t.Error("a repository was asked for")
		return registry.Repository{}, nil
	})
	defer u.Close()
	l, err := random.Layer(1000, types.DockerLayer)
	if err != nil {
		t.Fatal(err)
	}
	u.Add(l)
	if _, err := u.Push(t.Context(), "x", picture(t, 1), nil); !errors.Is(err, session.ErrReadOnly) {
		t.Error(err)
	}
	if len(w.asked) > 0 {
		t.Errorf("%q", w.asked)
	}
}

// stuck is a layer whose bytes never come.
type stuck struct {
	v1.Layer
	opened chan struct{}
	closed chan struct{}
}

func (s *stuck) Compressed() (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write(make([]byte, 100))
		close(s.opened)
		<-s.closed
		_ = w.CloseWithError(errors.New("ended"))
	}()
	return r, nil
}

func TestUploaderCloses(t *testing.T) {
	a := sessiontest.Start(t)
	w := startWitness(t)
	l, err := random.Layer(1000, types.DockerLayer)
	if err != nil {
		t.Fatal(err)
	}
	u := registry.New(a.Session, sessiontest.Region).Uploader(t.Context(), w.repo("app"))
	s := &stuck{l, make(chan struct{}), make(chan struct{})}
	u.Add(s)
	<-s.opened
	go close(s.closed)
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	if n := w.count("PUT"); n > 0 {
		t.Errorf("%q", w.asked)
	}
}
