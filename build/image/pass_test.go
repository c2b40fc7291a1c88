package image

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/optlift/optlift/build/layer"
)

// sender reads every layer it is handed at once, as an upload does.
type sender struct {
	mu      sync.Mutex
	running sync.WaitGroup
	layers  []v1.Layer
	digests []string
	errs    []error
}

func (s *sender) early(l v1.Layer) {
	s.mu.Lock()
	s.layers = append(s.layers, l)
	s.mu.Unlock()
	s.running.Go(func() {
		digest, err := func() (string, error) {
			r, err := l.Compressed()
			if err != nil {
				return "", err
			}
			defer r.Close()
			h, _, err := v1.SHA256(r)
			return h.String(), err
		}()
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			s.errs = append(s.errs, err)
		} else {
			s.digests = append(s.digests, digest)
		}
	})
}

func TestBuildHandsOutItsLayers(t *testing.T) {
	req := request(t, ociFamily)
	host, downloads := counting(t, strings.TrimSuffix(req.BaseRegistry, "/lambda"))
	req.BaseRegistry = host + "/lambda"
	req.BaseCache = filepath.Join(t.TempDir(), "bases")
	for _, growing := range []int{3, 0} { // the second time the store has them
		s := &sender{}
		req.Early = s.early
		built := mustBuild(t, req)
		s.running.Wait()
		manifest, err := built.Image.Manifest()
		if err != nil || len(s.errs) > 0 {
			t.Fatal(err, s.errs)
		}
		want := []string{manifest.Config.Digest.String()}
		for _, d := range manifest.Layers {
			want = append(want, d.Digest.String())
		}
		slices.Sort(want)
		slices.Sort(s.digests)
		if !slices.Equal(want, s.digests) {
			t.Errorf("handed out %q, the image has %q", s.digests, want)
		}
		for _, l := range s.layers {
			if _, ok := l.(*layer.Growing); ok {
				growing--
			}
		}
		if growing != 0 {
			t.Errorf("%d more layers should have been handed out while they grew", growing)
		}
	}
	manifest, _ := awsBase(t, ociFamily, "amd64").Manifest()
	for _, d := range manifest.Layers {
		if n := downloads()[d.Digest.Hex]; n != 1 {
			t.Errorf("the base's layer %s was downloaded %d times", d.Digest, n)
		}
	}
}

func TestBuildOfAnArchiveThatDoesNotVerify(t *testing.T) {
	forged := errors.New("its SHA-256 is another")
	for _, atHand := range []bool{false, true} {
		req := request(t, dockerFamily)
		dir := t.TempDir()
		var err error
		if req.Store, err = layer.OpenStore(dir, 1<<30); err != nil {
			t.Fatal(err)
		}
		if atHand {
			mustBuild(t, req)
		}
		before, _ := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
		arrived := make(chan struct{})
		req.Layers[1].Verify = func(context.Context) error { <-arrived; return forged }
		s := &sender{}
		handed := make(chan struct{})
		req.Early = func(l v1.Layer) {
			s.early(l)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.layers) == 3 { // the base has one, and conversions may take turns
				close(handed)
			}
		}
		go func() { // the end of the archive comes last
			<-handed
			close(arrived)
		}()
		built, err := Build(context.Background(), req)
		if !errors.Is(err, forged) || built != nil {
			t.Errorf("%+v, %v", built, err)
		}
		s.running.Wait()
		// The other layers are what they say; of this one nobody saw the end.
		if want := map[bool]int{false: 1, true: 0}[atHand]; len(s.errs) < want {
			t.Errorf("the layer of an archive that did not verify was read to its end: %v", s.errs)
		}
		after, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, f := range after {
			if strings.HasSuffix(f, ".part") {
				t.Errorf("left behind: %s", f)
			}
		}
		kept, _ := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
		if !atHand && len(kept) > 2 {
			t.Errorf("%d layers are kept, one of them of an archive that did not verify", len(kept))
		}
		if atHand && !slices.Equal(before, kept) {
			t.Errorf("the store held %q, and now %q", before, kept)
		}
	}
}
