package archive

import (
	"archive/zip"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/optlift/optlift/build/zipdir"
)

// far puts a server 30 ms and 60 MB/s away, the distance of a region on the
// same continent.
type far struct{ http.RoundTripper }

func (f far) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(30 * time.Millisecond)
	res, err := f.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = slow{res.Body}
	}
	return res, err
}

type slow struct{ io.ReadCloser }

func (s slow) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:min(len(p), 64<<10)])
	time.Sleep(time.Duration(n) * time.Second / (60 << 20))
	return n, err
}

// BenchmarkFileList compares the ways to the file list of a 40 MB layer with
// 4,000 files.
func BenchmarkFileList(b *testing.B) {
	s := serve(b, bigZip(b, 4000, 10_000))
	client := &http.Client{Transport: far{http.DefaultTransport}}
	b.Run("ranged", func(b *testing.B) {
		for b.Loop() {
			a, err := Open(b.Context(), client, "layer", s.locate)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := zipdir.Read("layer", a, a.Size()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(a.Requests()), "requests")
			b.ReportMetric(float64(a.Fetched()), "fetched-B")
			_ = a.Close()
		}
	})
	b.Run("download", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "layer.zip")
		for b.Loop() {
			if err := Download(context.Background(), client, "layer", s.locate, file, nil); err != nil {
				b.Fatal(err)
			}
			z, err := zip.OpenReader(file)
			if err != nil {
				b.Fatal(err)
			}
			_ = z.Close()
		}
		b.ReportMetric(1, "requests")
		b.ReportMetric(float64(len(s.data)), "fetched-B")
	})
}
