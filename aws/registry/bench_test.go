package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// The table of this benchmark is printed by
//
//	go test ./aws/registry -run '^$' -bench OnePass -benchtime 5x
//
// and for archives of one's own, in place of the generated one, by
//
//	go test ./aws/registry -run '^$' -bench OnePass -benchtime 5x -args -zip A.zip,B.zip
//
// Each round downloads the archive alone from a source 30 ms and 60 MB/s away;
// then it takes the plain sequence, download, build with lint and proof, push, to
// a registry on loopback in this process; then the one pass. "x-download" is the
// median over rounds of the wall time in proportion to the download's.
var benchZips = flag.String("zip", "", "comma-separated archives to measure in place of the generated one")

func BenchmarkOnePass(b *testing.B) {
	paths := strings.Split(*benchZips, ",")
	if *benchZips == "" {
		path := filepath.Join(b.TempDir(), "noise.zip")
		noise := make([]byte, 100<<20)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
		if err := os.WriteFile(path, ziptest.Bytes(ziptest.File("model.bin", string(noise))), 0o600); err != nil {
			b.Fatal(err)
		}
		paths = []string{path}
	}
	for _, path := range paths {
		b.Run(strings.TrimSuffix(filepath.Base(path), ".zip"), func(b *testing.B) { benchOnePass(b, path) })
	}
}

func benchOnePass(b *testing.B, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	sum := sha256.Sum256(data)
	server := httptest.NewServer(distant(data))
	defer server.Close()
	locate := func(context.Context) (archive.Location, error) {
		return archive.Location{URL: server.URL, SHA256: base64.StdEncoding.EncodeToString(sum[:]), Size: int64(len(data))}, nil
	}
	a := sessiontest.Start(b)
	client := registry.New(a.Session, sessiontest.Region)
	rounds, file := 0, ""
	ensure := func(ctx context.Context) (registry.Repository, error) {
		rounds++
		return client.Ensure(ctx, fmt.Sprintf("round-%d", rounds))
	}
	request := func(b *testing.B, dir *zipdir.Directory) image.Request {
		store, err := layer.OpenStore(b.TempDir(), 1<<40)
		if err != nil {
			b.Fatal(err)
		}
		index := ziptest.Bytes(ziptest.File("index.js", "exports.handler = async () => 1"))
		code, err := zipdir.Read("code", bytes.NewReader(index), int64(len(index)))
		if err != nil {
			b.Fatal(err)
		}
		return image.Request{
			Runtime: "nodejs22.x", Handler: "index.handler", BaseRegistry: os.Getenv("OPTLIFT_BASE_REGISTRY"), Store: store,
			Layers: []layer.Source{{Name: "layer", Dir: dir, SHA256: hex.EncodeToString(sum[:])}}, Code: layer.Source{Name: "code", Dir: code},
		}
	}
	ways := []struct {
		name string
		run  func(b *testing.B) error
	}{
		{"download", func(b *testing.B) error {
			return archive.Download(b.Context(), server.Client(), "layer", locate, file, nil)
		}},
		{"sequence", func(b *testing.B) error {
			if err := archive.Download(b.Context(), server.Client(), "layer", locate, file, nil); err != nil {
				return err
			}
			dir, closer, err := zipdir.OpenFile(file)
			if err != nil {
				return err
			}
			defer closer.Close()
			built, err := image.Build(b.Context(), request(b, dir))
			if err != nil {
				return err
			}
			repo, err := ensure(b.Context())
			if err != nil {
				return err
			}
			_, err = client.Push(b.Context(), repo, "", built.Image, nil)
			return err
		}},
		{"one-pass", func(b *testing.B) error {
			arriving, err := archive.Follow(b.Context(), server.Client(), "layer", locate, file, nil)
			if err != nil {
				return err
			}
			defer arriving.Close()
			dir, err := zipdir.Read("layer", arriving, arriving.Size())
			if err != nil {
				return err
			}
			sending := client.Uploader(b.Context(), ensure)
			defer sending.Close()
			req := request(b, dir)
			req.Layers[0].Verify, req.Early = arriving.Verify, sending.Add
			built, err := image.Build(b.Context(), req)
			if err != nil {
				return err
			}
			if _, err := sending.Push(b.Context(), "", built.Image, nil); err != nil {
				return err
			}
			return arriving.Wait(b.Context())
		}},
	}
	took := make([][]float64, len(ways))
	for b.Loop() {
		for i, way := range ways {
			file = filepath.Join(b.TempDir(), "layer.zip")
			begin := time.Now()
			if err := way.run(b); err != nil {
				b.Fatal(way.name, ": ", err)
			}
			took[i] = append(took[i], time.Since(begin).Seconds())
			if info, err := os.Stat(file); err != nil || info.Size() != int64(len(data)) {
				b.Fatal(way.name, " kept no copy: ", err)
			}
			if err := os.Remove(file); err != nil {
				b.Fatal(err)
			}
		}
	}
	for i, way := range ways {
		b.ReportMetric(median(took[i])*1000, "ms-"+way.name)
		if i > 0 {
			var ratios []float64
			for n, t := range took[i] {
				ratios = append(ratios, t/took[0][n])
			}
			b.ReportMetric(median(ratios), "x-"+way.name)
		}
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// distant serves data from 30 ms and 60 MB/s away.
func distant(data []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond)
		http.ServeContent(&throttled{ResponseWriter: w, begin: time.Now()}, r, "", time.Time{}, bytes.NewReader(data))
	})
}

type throttled struct {
	http.ResponseWriter
	begin time.Time
	sent  int64
}

func (t *throttled) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n, err := t.ResponseWriter.Write(p[done:min(len(p), done+64<<10)])
		done += n
		t.sent += int64(n)
		if err != nil {
			return done, err
		}
		time.Sleep(time.Until(t.begin.Add(time.Duration(t.sent) * time.Second / 60_000_000)))
	}
	return len(p), nil
}

var _ io.Writer = (*throttled)(nil)
