package zipdir_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/optlift/optlift/build/zipdir"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// counting records what is read of an archive.
type counting struct {
	r           io.ReaderAt
	calls       int
	bytes, from int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.calls++
	c.bytes += int64(len(p))
	c.from = min(c.from, off)
	return c.r.ReadAt(p, off)
}

func TestReadTouchesOnlyTheTailAndTheDirectory(t *testing.T) {
	const tail = 64 << 10
	body := strings.Repeat("x", 1<<20)
	var many []ziptest.Entry
	for i := range 3000 {
		many = append(many, ziptest.File(manyName(i), "some content"))
	}
	many[0] = ziptest.File(manyName(0), body)
	for name, test := range map[string]struct {
		archive ziptest.Archive
		calls   int
	}{
		"directory in the tail":      {ziptest.Archive{Entries: []ziptest.Entry{ziptest.File("big", body), ziptest.Link("l", "big")}}, 1},
		"directory before the tail":  {ziptest.Archive{Entries: many}, 2},
		"zip64 before the tail":      {ziptest.Archive{Entries: many, Wide: true}, 2},
		"comment longer than a tail": {ziptest.Archive{Entries: many[:10], Comment: strings.Repeat("c", 65535)}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			b := test.archive.Bytes()
			r := &counting{r: bytes.NewReader(b), from: int64(len(b))}
			d, err := zipdir.Read("x", r, int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			last := d.Entries[len(d.Entries)-1]
			directory := int64(len(b)) - last.HeaderOffset - last.CompressedSize - 30 - int64(len(last.Name))
			if start := int64(len(b)) - max(directory, tail+int64(len(test.archive.Comment))); r.from < start-100 {
				t.Errorf("read from %d, the tail and the directory start at %d", r.from, start)
			}
			if limit := tail + directory + (tail+22)*int64(test.calls/3); r.bytes > limit || r.calls > test.calls {
				t.Errorf("%d bytes in %d reads, expected at most %d in %d", r.bytes, r.calls, limit, test.calls)
			}
			if test.archive.Comment == "" && r.bytes > max(tail, directory) {
				t.Errorf("%d bytes: something was read twice", r.bytes)
			}
		})
	}
}

func TestReadLinksCostsOneReadPerLink(t *testing.T) {
	b := ziptest.Bytes(ziptest.File("f", long), ziptest.Link("a", "f"), ziptest.Link("b", strings.Repeat("long/", 500)+"f").Deflated(), ziptest.File("g", long))
	r := &counting{r: bytes.NewReader(b)}
	d, err := zipdir.Read("x", r, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	r.calls = 0
	for range 2 { // the second time there is nothing left to do
		if err := d.ReadLinks(); err != nil || r.calls != 2 {
			t.Errorf("%d reads, %v", r.calls, err)
		}
	}
}

type failing struct {
	r     io.ReaderAt
	after int // reads that work
}

var errBroken = errors.New("the line is broken")

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errBroken
	}
	return f.r.ReadAt(p, off)
}

// A source that fails is not a bad archive, at whatever read it fails.
func TestFailingSource(t *testing.T) {
	entries := []ziptest.Entry{ziptest.File("x", long).Deflated(), ziptest.Link("l", "x")}
	for i := range 2000 {
		entries = append(entries, ziptest.File(manyName(i), ""))
	}
	b := ziptest.Archive{Entries: entries, Prefix: "prefix"}.Bytes()
	read := func(r io.ReaderAt) error {
		d, err := zipdir.Read("layer.zip", r, int64(len(b)))
		if err != nil {
			return err
		}
		if err := d.ReadLinks(); err != nil {
			return err
		}
		c, err := d.Open(&d.Entries[0])
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.ReadAll(c)
		return err
	}
	fails := 0
	for ; ; fails++ {
		err := read(&failing{bytes.NewReader(b), fails})
		if err == nil {
			break
		}
		var refusal *zipdir.Error
		if !errors.Is(err, errBroken) || errors.As(err, &refusal) || !strings.HasPrefix(err.Error(), "layer.zip: read ") {
			t.Errorf("read %d: %v", fails, err)
		}
	}
	if fails < 5 {
		t.Errorf("only %d reads to fail", fails)
	}
	// A source that is shorter than promised.
	if _, err := zipdir.Read("x", bytes.NewReader(b[:100]), int64(len(b))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short source: %v", err)
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	d := mustRead(t, ziptest.Bytes(ziptest.File("a", long).Deflated(), ziptest.File("b", strings.Repeat("other ", 5000)).Deflated(), ziptest.File("c", long)))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				for i := range d.Entries {
					r, err := d.Open(&d.Entries[i])
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := io.Copy(io.Discard, r); err != nil {
						t.Error(err)
					}
					r.Close()
					r.Close()
				}
			}
		})
	}
	wait.Wait()
}

func TestCloseEndsReading(t *testing.T) {
	d := mustRead(t, ziptest.Bytes(ziptest.File("a", long).Deflated()))
	r, err := d.Open(&d.Entries[0])
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(make([]byte, 10)); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	r.Close()
	if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("read %d bytes of a closed entry, %v", n, err)
	}
}

// countingReads counts the reads of an archive and their bytes.
type countingReads struct {
	*bytes.Reader
	reads, bytes int
}

func (c *countingReads) ReadAt(p []byte, off int64) (int, error) {
	c.reads, c.bytes = c.reads+1, c.bytes+len(p)
	return c.Reader.ReadAt(p, off)
}

// TestCheckHeadersReads: small files share a read, and large ones are not read.
func TestCheckHeadersReads(t *testing.T) {
	large := strings.Repeat("x", 100_000)
	var entries []ziptest.Entry
	for i := range 3000 {
		body := large[:i%300]
		if i%100 == 0 {
			body = large
		}
		entries = append(entries, ziptest.File(manyName(i), body))
	}
	entries = append(entries, ziptest.File("last", "end").Local(func(h *ziptest.Header) { h.CRC++ }))
	data := ziptest.Bytes(entries...)
	r := &countingReads{Reader: bytes.NewReader(data)}
	d, err := zipdir.Read("a.zip", r, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r.reads, r.bytes = 0, 0
	var refusal *zipdir.Error
	if err := d.CheckHeaders(t.Context()); !errors.As(err, &refusal) || refusal.Rule != zipdir.RuleHeader || refusal.Entry != "last" {
		t.Errorf("the last header is wrong, and the answer: %v", err)
	}
	if r.reads > 200 || r.bytes > 3_500_000 {
		t.Errorf("%d reads of %d bytes, for %d entries in %d bytes", r.reads, r.bytes, len(entries), len(data))
	}
}

func TestCheckHeadersStops(t *testing.T) {
	d := mustRead(t, ziptest.Bytes(ziptest.File("a", "")))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := d.CheckHeaders(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOpenFile(t *testing.T) {
	path := ziptest.Write(t, ziptest.File("x", long), ziptest.Link("l", "x"))
	d, c, err := zipdir.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if l, _ := d.Lookup("l"); d.Name != path || l.Target != "x" || content(t, d, &d.Entries[0]) != long {
		t.Errorf("read %+v", d)
	}

	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(text, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]zipdir.Rule{
		text:        zipdir.RuleNotZip,
		t.TempDir(): zipdir.RuleNotZip,
		"/dev/null": zipdir.RuleNotZip,
		ziptest.Write(t, ziptest.File("x", "").Local(func(h *ziptest.Header) { h.Name = "y" })): zipdir.RuleHeader,
		ziptest.Write(t, ziptest.Link("l", "../x")):                                             zipdir.RuleLinkClimb,
	} {
		d, c, err := zipdir.OpenFile(path)
		var refusal *zipdir.Error
		if !errors.As(err, &refusal) || refusal.Rule != want || !strings.HasPrefix(err.Error(), path) || d != nil || c != nil {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if _, _, err := zipdir.OpenFile(filepath.Join(t.TempDir(), "none.zip")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.zip") {
		t.Errorf("missing file: %v", err)
	}
}
