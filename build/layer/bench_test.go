package layer

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/optlift/optlift/build/layer/inflate"
	"github.com/optlift/optlift/build/zipdir"
)

// The table of these benchmarks is printed by
//
//	go test ./build/layer -run '^$' -bench Convert -benchtime 5x
//
// and for archives of one's own, in place of the generated ones, by
//
//	go test ./build/layer -run '^$' -bench Convert -benchtime 5x -args -zip A.zip,B.zip
//
// Each round runs one way and then the floor: what the two SHA-256 of an image
// layer cost, side by side, with nothing else done. "x-floor" is the median over
// rounds of the wall time in proportion to that floor. "x-inflate" is in proportion to
// what no conversion can do without: both hashes, and inflating every entry once
// with this package's inflater, divided among the cores, but never less than the
// tar's hash, which can't be divided. "MiB-peak" is memory held from the system
// above what was held before.
//
// GODEBUG=cpu.sha=off in front of the command shows a processor without SHA
// instructions.
var benchZips = flag.String("zip", "", "comma-separated archives to measure in place of the generated ones")

func BenchmarkConvert(b *testing.B) {
	var t table
	if *benchZips != "" {
		for path := range strings.SplitSeq(*benchZips, ",") {
			b.Run(strings.TrimSuffix(filepath.Base(path), ".zip"), func(b *testing.B) { t.archive(b, path) })
		}
	} else {
		for _, s := range shapes {
			b.Run(s.name, func(b *testing.B) {
				path := filepath.Join(b.TempDir(), s.name+".zip")
				s.write(b, path)
				t.archive(b, path)
			})
		}
	}
	t.print()
}

// table collects what the benchmarks measured.
type table []row

type row struct {
	archive, way       string
	zip, unpacked, out int64
	seconds            float64
	floor, inflate     float64 // seconds, of what bounds all ways
	rate               float64 // bytes of tar that one core hashed in a second, at best
	toFloor, toInflate float64 // medians of the rounds' proportions
	peak               uint64  // bytes
}

func (t *table) archive(b *testing.B, path string) {
	dir := b.TempDir()
	tarPath, blobPath := filepath.Join(dir, "layer.tar"), filepath.Join(dir, "layer.tar.gz")
	res := prepare(b, path, tarPath, blobPath)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".zip")
	ways := []struct {
		name string
		run  func(io.Writer) error
	}{
		{"optlift", func(w io.Writer) error { return convertFile(w, path) }},
		{"stdlib-stream", func(w io.Writer) error { return streamStandard(w, path) }},
		{"unzip-tar-gzip", func(w io.Writer) error { return unpackAndPack(w, path, filepath.Join(dir, "tree")) }},
	}
	var first *row
	for _, way := range ways {
		r := row{archive: name, way: way.name, zip: info.Size(), unpacked: res.Uncompressed}
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(res.Uncompressed)
			r.measure(b, way.run, path, tarPath, blobPath)
		})
		if r.out > 0 { // not for a way that -bench leaves out
			*t = append(*t, r)
			if first == nil {
				first = &r
			}
		}
	}
	if first != nil {
		*t = append(*t, row{archive: name, way: "floor: hashes + inflate", seconds: first.inflate}, row{archive: name, way: "floor: hashes", seconds: first.floor})
	}
}

// measure runs the way b.N times.
func (r *row) measure(b *testing.B, way func(io.Writer) error, path, tarPath, blobPath string) {
	var seconds, floors, inflates, toFloor, toInflate []float64
	var out counter
	r.peak = 0
	for range b.N {
		out = 0
		b.StopTimer()
		watched := watchMemory()
		b.StartTimer()
		took, err := timed(func() error { return way(&out) })
		b.StopTimer()
		r.peak = max(r.peak, watched())
		if err != nil {
			b.Fatal(err)
		}
		floor, err := timed(func() error { return hashBoth(tarPath, blobPath) })
		if err != nil {
			b.Fatal(err)
		}
		tarHash, blobHash, inflating := alone(b, tarPath, blobPath, path)
		seconds = append(seconds, took.Seconds())
		r.rate = max(r.rate, float64(r.unpacked)/tarHash.Seconds())
		toFloor = append(toFloor, took.Seconds()/floor.Seconds())
		work := (tarHash + blobHash + inflating) / time.Duration(runtime.GOMAXPROCS(0))
		toInflate = append(toInflate, took.Seconds()/max(tarHash, work).Seconds())
		floors, inflates = append(floors, floor.Seconds()), append(inflates, max(tarHash, work).Seconds())
		b.StartTimer()
	}
	r.out, r.seconds, r.toFloor, r.toInflate = int64(out), median(seconds), median(toFloor), median(toInflate)
	r.floor, r.inflate = median(floors), median(inflates)
	b.ReportMetric(r.toFloor, "x-floor")
	b.ReportMetric(r.toInflate, "x-inflate")
	b.ReportMetric(float64(r.peak)/(1<<20), "MiB-peak")
	b.ReportMetric(float64(r.out)/float64(r.zip), "out/zip")
}

// alone measures the parts of the work on one core each.
func alone(b *testing.B, tarPath, blobPath, path string) (tarHash, blobHash, inflating time.Duration) {
	b.Helper()
	for _, part := range []struct {
		took *time.Duration
		do   func() error
	}{
		{&tarHash, func() error { return hashBoth(tarPath) }},
		{&blobHash, func() error { return hashBoth(blobPath) }},
		{&inflating, func() error { return inflateAll(path) }},
	} {
		var err error
		if *part.took, err = timed(part.do); err != nil {
			b.Fatal(err)
		}
	}
	return tarHash, blobHash, inflating
}

// print writes the table in Markdown, with a word on the machine. The last column is how many times the
// first way's time a way takes, both measured by the floor.
func (t table) print() {
	if len(t) == 0 {
		return
	}
	fmt.Printf("\n| archive (zip, unpacked) | way | s | x hashes | x hashes + inflate | peak MiB | out/zip | x %s |\n|---|---|--:|--:|--:|--:|--:|--:|\n", t[0].way)
	var first row
	for _, r := range t {
		name := ""
		if r.archive != first.archive {
			first = r
			name = fmt.Sprintf("%s (%.1f MB, %.0f MB)", r.archive, float64(r.zip)/1e6, float64(r.unpacked)/1e6)
		}
		if r.zip == 0 {
			fmt.Printf("| | %s | %.3f | | | | | |\n", r.way, r.seconds)
			continue
		}
		fmt.Printf("| %s | %s | %.3f | %.2f | %.2f | %.1f | %.3f | %.1f |\n", name, r.way, r.seconds, r.toFloor, r.toInflate,
			float64(r.peak)/(1<<20), float64(r.out)/float64(r.zip), r.toFloor/first.toFloor)
	}
	rate := 0.0 // of the row that other work disturbed least
	for _, r := range t {
		rate = max(rate, r.rate)
	}
	fmt.Printf("\n%s, %s, %d cores, each SHA-256 at up to %.0f MB/s\n\n", runtime.Version(), runtime.GOARCH, runtime.GOMAXPROCS(0), rate/1e6)
}

type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

func timed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// watchMemory samples what the Go runtime holds from the system until the
// returned function is called, which says how far it rose.
func watchMemory() func() uint64 {
	held := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64() - s[1].Value.Uint64()
	}
	debug.FreeOSMemory()
	idle, peak := held(), uint64(0)
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, held())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 {
		close(stop)
		done.Wait()
		return peak - min(peak, idle)
	}
}

func convertFile(w io.Writer, path string) error {
	d, c, err := zipdir.OpenFile(path)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = Convert(context.Background(), w, Source{Name: path, Dir: d, Root: Opt}, Options{})
	return err
}

// prepare leaves the archive's tar and image layer as files.
func prepare(b *testing.B, path, tarPath, blobPath string) Result {
	b.Helper()
	blob, err := os.Create(blobPath)
	if err != nil {
		b.Fatal(err)
	}
	defer blob.Close()
	d, c, err := zipdir.OpenFile(path)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	res, err := Convert(context.Background(), blob, Source{Name: path, Dir: d, Root: Opt}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := blob.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	zr, err := gzip.NewReader(blob)
	if err != nil {
		b.Fatal(err)
	}
	out, err := os.Create(tarPath)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, zr); err != nil {
		b.Fatal(err)
	}
	return res
}

// hashBoth hashes files, each on its own core: both are the floor.
func hashBoth(paths ...string) error {
	errs := make([]error, len(paths))
	var all sync.WaitGroup
	for i, path := range paths {
		all.Go(func() {
			f, err := os.Open(path)
			if err != nil {
				errs[i] = err
				return
			}
			defer f.Close()
			_, errs[i] = io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{f}, make([]byte, chunkSize))
		})
	}
	all.Wait()
	return errs[0]
}

// inflateAll inflates every entry and does nothing with it.
func inflateAll(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d, err := zipdir.Read(path, bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return err
	}
	dst := make([]byte, inflate.Window+chunkSize+inflate.Slack)
	var dec inflate.Decoder
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Method != zipdir.Deflate {
			continue
		}
		off, err := d.DataOffset(e)
		if err != nil {
			return err
		}
		dec.Reset()
		for w, r := 0, int(off); !dec.Done(); {
			if w, r, err = dec.Decode(dst, w, data, r, true); err != nil {
				return err
			}
			if w > inflate.Window {
				w = copy(dst, dst[w-inflate.Window:w])
			}
		}
	}
	return nil
}

// streamStandard converts with the standard library alone, in one pass.
func streamStandard(w io.Writer, path string) error {
	zr, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer zr.Close()
	return pack(w, func(tw *tar.Writer) error {
		for _, f := range zr.File {
			info := f.FileInfo()
			if info.IsDir() || !info.Mode().IsRegular() {
				continue
			}
			if err := tw.WriteHeader(&tar.Header{Name: "opt/" + f.Name, Size: info.Size(), Mode: 0o644}); err != nil {
				return err
			}
			r, err := f.Open()
			if err != nil {
				return err
			}
			_, err = io.Copy(tw, r)
			r.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pack writes a gzipped tar at gzip's usual level, with the two hashes.
func pack(w io.Writer, entries func(*tar.Writer) error) error {
	zw, err := gzip.NewWriterLevel(io.MultiWriter(w, sha256.New()), 6)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(io.MultiWriter(zw, sha256.New()))
	if err := entries(tw); err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return zw.Close()
}

// unpackAndPack is the plain way: unzip to a directory, then tar and gzip it.
func unpackAndPack(w io.Writer, path, tree string) error {
	defer os.RemoveAll(tree)
	zr, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer zr.Close()
	for _, f := range zr.File {
		if !f.FileInfo().Mode().IsRegular() {
			continue
		}
		to := filepath.Join(tree, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		out, err := os.Create(to)
		if err == nil {
			_, err = io.Copy(out, r)
			out.Close()
		}
		r.Close()
		if err != nil {
			return err
		}
	}
	return pack(w, func(tw *tar.Writer) error {
		return filepath.WalkDir(tree, func(p string, e fs.DirEntry, err error) error {
			if err != nil || p == tree {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			h, err := tar.FileInfoHeader(info, "")
			if err != nil {
				return err
			}
			h.Name = "opt" + filepath.ToSlash(p[len(tree):])
			if err := tw.WriteHeader(h); err != nil || e.IsDir() {
				return err
			}
			f, err := os.Open(p)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = io.Copy(tw, f)
			return err
		})
	})
}

// BenchmarkMemory reports what opening and converting an archive holds from the
// system at most: one of 262 MB, more than a function's code and layers may unpack
// to, and one of 100,000 empty files, which is nothing but directory.
func BenchmarkMemory(b *testing.B) {
	for _, a := range []shape{
		{"one-large-file", 0, func(rng *rand.Rand, i int) (string, []byte, bool) {
			return "data.bin", make([]byte, 262_144_000), i < 1
		}},
		{"100000-entries", 0, func(rng *rand.Rand, i int) (string, []byte, bool) {
			return fmt.Sprintf("nodejs/node_modules/module-%04d/lib/f%05d.js", i/40, i), nil, i < 100_000
		}},
	} {
		b.Run(a.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "a.zip")
			a.write(b, path)
			peak := uint64(0)
			for b.Loop() {
				watched := watchMemory()
				if err := convertFile(io.Discard, path); err != nil {
					b.Fatal(err)
				}
				peak = max(peak, watched())
			}
			b.ReportMetric(float64(peak)/(1<<20), "MiB-peak")
		})
	}
}
