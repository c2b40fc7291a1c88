package layer

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/optlift/optlift/build/zipdir"
)

// fixedShapes are small archives of the benchmark's five shapes, and what they have
// to become. They are made with integers alone and with a compressor whose version
// go.mod names, so that they are the same whatever the machine and Go's version: only
// a converter that depends on either changes a digest.
//
// The other code for decompressing, and other processors, have to give the same:
//
//	go test -tags purego -run SameDigest ./build/layer
//	GOARCH=arm64 CGO_ENABLED=0 go test -c -o layer.test ./build/layer && cd build/layer
//	qemu-aarch64-static ../../layer.test -test.run 'SameDigest|Golden'
var fixedShapes = []struct {
	name                string
	files               func(rng *rand.Rand, add func(name string, data []byte))
	zip, digest, diffID string
}{
	{"many-small-files", func(rng *rand.Rand, add func(string, []byte)) {
		for i := range 1500 {
			add(fmt.Sprintf("nodejs/m%02d/f%04d.js", i/40, i), fixedText(rng, rng.IntN(1500)))
		}
	}, "8458066825ab6d4896ee054341f61b4f4ca9a3f6482fe8ca45146cb27fb7e230", "f60830610494c54e11f97fa7126aabba506c7b21e7ef20b5b910835c67c94558", "4a2fdbe29c3fe024dff25660f79bf031fe6e354e0020b874474f209a989f5754"},
	{"source-tree", func(rng *rand.Rand, add func(string, []byte)) {
		for i := range 120 {
			add(fmt.Sprintf("python/p%d/m%d.py", i/10, i), fixedText(rng, 1000+rng.IntN(20_000)))
			if i%20 == 0 {
				add(fmt.Sprintf("python/p%d/lib.so", i/10), fixedMachine(rng, 200_000))
			}
		}
	}, "f83a57d6378393d038def3f655eb03fbf7229d517d38f14366731dcc8929a158", "19d0c8d35c6b7d251fe4ed34371bbf66688303cd5f33ffe10490c700d5da6770", "fd7078a7fb66802b52584dcc87c9e4cce6f5a0a20f255b802f444e9769ce06d1"},
	{"few-binaries", func(rng *rand.Rand, add func(string, []byte)) {
		for i := range 3 {
			add(fmt.Sprintf("bin/tool%d", i), fixedMachine(rng, 900_000))
		}
	}, "0d58162aea817e8e84d8197951e14b9fd020ae6ffa0130d3d24c56d5336468e5", "01b0439cb7fd966bffc03b5e0aee4b1e97373e9cb46d8b34d15634ba6c60561c", "32df04e35811a1d8e5658291b448acac4766125003a4dd0f29986111a113538c"},
	{"incompressible", func(rng *rand.Rand, add func(string, []byte)) {
		data := make([]byte, 3_000_001)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		add("data.bin", data)
	}, "6dc154374d48c1cf2281a31f61842720b7bc608fa954071e6fede7a2b94acf15", "ee8038f2353724ab540076dfe4a3882d3610267abe08fa36174f351b06120af5", "a264f255d6c0c4118b074f4df862b89d898b9e7067874e8eb5bdce6cbc519714"},
	{"highly-compressible", func(rng *rand.Rand, add func(string, []byte)) {
		for i := range 3 {
			add(fmt.Sprintf("logs/l%d.csv", i), bytes.Repeat([]byte("2026-01-01,0,0,0,0,none,none\n"), 40_000))
		}
	}, "c22f6b4872a28e3221414c7a73125f59ad46207ff2946a4d90aacb9e7fa00241", "ee62e30322c6e0ea1ed29a66257d95fb546a46d27103781c3a4a3b831fe645c7", "17f980c2f9f86ed38764b6dd02341d20f7e35b2173c10815578acfb6f7381fb7"},
}

// fixedText is lines of words, some frequent and most rare.
func fixedText(rng *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+16)
	for len(b) < size {
		word := uint32(rng.IntN(1 << rng.IntN(12)))
		b = fmt.Appendf(b, "%x%c", word*2654435761, " .(,=;\n"[rng.IntN(7)])
	}
	return b[:size]
}

// fixedMachine has short repeats between bytes of uneven frequency.
func fixedMachine(rng *rand.Rand, size int) []byte {
	b := make([]byte, 0, size+64)
	for len(b) < size {
		if len(b) > 64 && rng.IntN(3) > 0 {
			back := 1 + rng.IntN(min(len(b)-1, 1<<(4+rng.IntN(12))))
			for range 3 + rng.IntN(8) {
				b = append(b, b[len(b)-back])
			}
			continue
		}
		for range 1 + rng.IntN(6) {
			b = append(b, byte(7*rng.IntN(1+rng.IntN(200))))
		}
	}
	return b[:size]
}

func fixedArchive(t *testing.T, files func(*rand.Rand, func(string, []byte))) []byte {
	t.Helper()
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	fw, err := flate.NewWriter(nil, 6)
	if err != nil {
		t.Fatal(err)
	}
	zw.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { fw.Reset(w); return fw, nil })
	files(rand.New(rand.NewPCG(17, 23)), func(name string, data []byte) {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestSameDigestEverywhere converts archives on one, two and four cores, into an
// empty store and from a full one, from a file and over ranged HTTP.
func TestSameDigestEverywhere(t *testing.T) {
	for _, shape := range fixedShapes {
		t.Run(shape.name, func(t *testing.T) {
			archive := fixedArchive(t, shape.files)
			if got := sum(archive); got != shape.zip {
				t.Fatalf("the archive is another one: sha256:%s", got)
			}
			file := filepath.Join(t.TempDir(), "a.zip")
			if err := os.WriteFile(file, archive, 0o600); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(archive))
			}))
			defer server.Close()
			check := func(how string, res Result) {
				t.Helper()
				if res.Digest.Hex != shape.digest || res.DiffID.Hex != shape.diffID {
					t.Errorf("%s: digest %s, diff ID %s", how, res.Digest.Hex, res.DiffID.Hex)
				}
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
			for _, cores := range []int{1, 2, 4} {
				runtime.GOMAXPROCS(cores)
				for _, from := range []struct {
					name string
					r    io.ReaderAt
				}{{"a file", nil}, {"ranged HTTP", ranged(server.URL)}} {
					dir, closer, err := open(file, from.r, int64(len(archive)))
					if err != nil {
						t.Fatal(err)
					}
					src := Source{Name: "a", Dir: dir, Root: Opt, SHA256: sum(archive)}
					store := openStore(t, t.TempDir(), 1<<30)
					for _, cache := range []string{"cold", "warm"} {
						l, err := store.Convert(context.Background(), src, Options{}, nil)
						if err != nil {
							t.Fatal(err)
						}
						check(fmt.Sprintf("%d cores, %s, %s cache", cores, from.name, cache), l.Result)
						if err := l.Close(); err != nil {
							t.Error(err)
						}
					}
					if err := closer.Close(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}

// open opens the archive in a file, or behind r where that is not nil.
func open(file string, r io.ReaderAt, size int64) (*zipdir.Directory, io.Closer, error) {
	if r == nil {
		return zipdir.OpenFile(file)
	}
	d, err := zipdir.Read("a", r, size)
	return d, io.NopCloser(nil), err
}

// ranged reads a URL by ranged requests.
type ranged string

func (u ranged) ReadAt(p []byte, off int64) (int, error) {
	req, err := http.NewRequest(http.MethodGet, string(u), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusPartialContent {
		return 0, fmt.Errorf("no range: %s", res.Status)
	}
	return io.ReadFull(res.Body, p)
}
