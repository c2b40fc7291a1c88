package archive

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

// Location is where an archive can be fetched for a few minutes.
type Location struct {
	URL    string // presigned; a secret
	SHA256 string // base64, as Lambda gives it; "" when unknown
	Size   int64  // bytes; 0 when unknown
}

// Locator asks AWS for a fresh Location; it is called again when a URL has expired.
type Locator func(ctx context.Context) (Location, error)

// The first request asks for so much of the archive's end, which holds the end
// record and the directory of most archives; of a larger directory a second one
// fetches exactly the rest. So a file list costs its own bytes and no more than
// these, in at most two requests.
const tailBytes = 65_536

// maxSmall is the size of an archive that is kept in memory where a server
// ignores Range.
const maxSmall = 1 << 20

// Small reads are fetched in blocks that double while reading goes on where the
// last block ended; reads of maxBlock and more pass through as they are.
const (
	minBlock = 128 << 10
	maxBlock = 4 << 20
	// maxBlocks bounds the memory of an archive together with maxDirectory.
	maxBlocks = 4
	// maxDirectory is how much of a directory is kept in memory beside the
	// tail; 70,000 entries need some 5 MB.
	maxDirectory = 32 << 20
)

// maxUnknown bounds an archive whose size Lambda does not tell; the largest it
// takes unpacks to 250 MB.
const maxUnknown = 1 << 30

// Archive is a remote zip as an io.ReaderAt. It is safe for concurrent use.
type Archive struct {
	remote *remote
	size   int64

	mu      sync.Mutex // guards all below; held while a block is fetched
	tail    []byte
	tailOff int64
	// dirOff is where the directory seems to start, as the end record in the
	// tail says; only a hint for what to fetch together.
	dirOff int64
	blocks []block // most recently used last
	whole  *os.File
}

type block struct {
	off  int64
	data []byte
}

func (b block) end() int64 { return b.off + int64(len(b.data)) }

// Open finds the archive's size and fetches its tail in one request. name is
// what errors call it. ctx bounds every later read.
func Open(ctx context.Context, client *http.Client, name string, locate Locator) (*Archive, error) {
	return open(ctx, newRemote(ctx, client, name, locate))
}

func open(ctx context.Context, r *remote) (*Archive, error) {
	loc, err := r.location(ctx)
	if err != nil {
		return nil, fmt.Errorf("locate %s: %w", r.name, err)
	}
	a := &Archive{remote: r}
	err = r.do(tailRange, func(res *http.Response) error {
		switch res.StatusCode {
		case http.StatusPartialContent:
			return a.takeTail(res)
		case http.StatusOK:
			return a.takeWhole(res, loc.Size)
		case http.StatusRequestedRangeNotSatisfiable:
			// Nothing to give of the last bytes: the object is empty.
			return nil
		}
		return statusOf(res)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", r.name, err)
	}
	a.dirOff = directoryStart(a.tail, a.tailOff)
	return a, nil
}

// tailRange is the range of the first request.
const tailRange = "bytes=-65536"

// takeTail keeps the answer to the first request.
func (a *Archive) takeTail(res *http.Response) error {
	from, to, total, err := contentRange(res)
	if err != nil {
		return err
	}
	if to != total-1 || to-from+1 > tailBytes {
		return permanent(fmt.Errorf("asked for the end, the server sent bytes %d-%d of %d", from, to, total))
	}
	tail := make([]byte, to-from+1)
	if _, err := io.ReadFull(res.Body, tail); err != nil {
		return err
	}
	a.size, a.tail, a.tailOff = total, tail, from
	a.remote.pin(res)
	return nil
}

// takeWhole keeps the answer of a server that ignores Range: in memory where it
// is small, else in a file without a name.
func (a *Archive) takeWhole(res *http.Response, known int64) error {
	limit := int64(maxUnknown)
	if known > 0 {
		limit = known
	}
	if res.ContentLength > limit {
		return permanent(fmt.Errorf("the server sends %d bytes where at most %d are expected", res.ContentLength, limit))
	}
	if res.ContentLength >= 0 && res.ContentLength <= maxSmall {
		data := make([]byte, res.ContentLength)
		if _, err := io.ReadFull(res.Body, data); err != nil {
			return err
		}
		a.size, a.tail, a.tailOff = int64(len(data)), data, 0
		return nil
	}
	f, err := os.CreateTemp("", "optlift-archive-*")
	if err != nil {
		return permanent(fmt.Errorf("make a temporary file: %w", err))
	}
	// Unlinked at once, so that nothing stays behind however the program
	// ends. Where the system refuses this, Close removes it.
	_ = os.Remove(f.Name())
	n, err := io.Copy(f, io.LimitReader(res.Body, limit+1))
	switch {
	case err == nil && n > limit:
		err = permanent(fmt.Errorf("the server sends more than the expected %d bytes", limit))
	case err == nil && res.ContentLength >= 0 && n != res.ContentLength:
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		discard(f)
		return err
	}
	a.size, a.tail, a.tailOff, a.whole = n, nil, n, f
	return nil
}

func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// ReadAt implements io.ReaderAt by ranged requests.
func (a *Archive) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset", a.remote.name)
	}
	done := 0
	for done < len(p) && off+int64(done) < a.size {
		n, err := a.read(p[done:], off+int64(done))
		done += n
		if err != nil {
			return done, fmt.Errorf("read %s: %w", a.remote.name, err)
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// read copies at least one byte from the nearest source of off, which lies
// inside the archive.
func (a *Archive) read(p []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := a.cached(p, off); n > 0 {
		return n, nil
	}
	if a.whole != nil {
		return a.whole.ReadAt(p[:min(int64(len(p)), a.size-off)], off)
	}
	if off >= a.dirOff && a.tailOff-a.dirOff <= maxDirectory {
		return a.extendTail(p, off)
	}
	p = p[:min(int64(len(p)), a.tailOff-off)]
	if len(p) >= maxBlock {
		// Large reads run side by side.
		a.mu.Unlock()
		whole, err := a.fetch(p, off)
		a.mu.Lock()
		if err != nil || whole != nil {
			return a.adopt(whole, p, off, err)
		}
		return len(p), nil
	}
	length := int64(minBlock)
	for _, b := range a.blocks {
		if b.end() == off {
			length = min(2*int64(len(b.data)), maxBlock)
		}
	}
	length = min(max(length, int64(len(p))), a.tailOff-off)
	b := block{off: off, data: make([]byte, length)}
	if whole, err := a.fetch(b.data, off); err != nil || whole != nil {
		return a.adopt(whole, p, off, err)
	}
	a.blocks = append(a.blocks, b)
	if len(a.blocks) > maxBlocks {
		a.blocks = append(a.blocks[:0], a.blocks[1:]...)
	}
	return copy(p, b.data), nil
}

// cached copies from memory.
func (a *Archive) cached(p []byte, off int64) int {
	if off >= a.tailOff && off < a.tailOff+int64(len(a.tail)) {
		return copy(p, a.tail[off-a.tailOff:])
	}
	for i, b := range a.blocks {
		if off >= b.off && off < b.end() {
			a.blocks = append(append(a.blocks[:i:i], a.blocks[i+1:]...), b)
			return copy(p, b.data[off-b.off:])
		}
	}
	return 0
}

// extendTail fetches what is missing between the directory's start and the tail
// in one request.
func (a *Archive) extendTail(p []byte, off int64) (int, error) {
	missing := a.tailOff - a.dirOff
	data := make([]byte, missing+int64(len(a.tail)))
	if whole, err := a.fetch(data[:missing], a.dirOff); err != nil || whole != nil {
		return a.adopt(whole, p, off, err)
	}
	copy(data[missing:], a.tail)
	a.tail, a.tailOff = data, a.dirOff
	return copy(p, data[off-a.tailOff:]), nil
}

// adopt ends a read whose fetch failed or found that the server now sends the
// whole archive.
func (a *Archive) adopt(whole *Archive, p []byte, off int64, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	if a.whole == nil && len(a.tail) < int(a.size) {
		a.tail, a.tailOff, a.whole, a.blocks = whole.tail, whole.tailOff, whole.whole, nil
	} else if whole.whole != nil {
		discard(whole.whole) // another reader was first
	}
	if n := a.cached(p, off); n > 0 {
		return n, nil
	}
	return a.whole.ReadAt(p[:min(int64(len(p)), a.size-off)], off)
}

// fetch fills p from off by ranged requests, going on where a broken transfer
// ended. Where the server stops honouring Range it returns the whole archive
// instead.
func (a *Archive) fetch(p []byte, off int64) (whole *Archive, err error) {
	got := int64(0)
	for got < int64(len(p)) && whole == nil {
		err := a.remote.do(fmt.Sprintf("bytes=%d-%d", off+got, off+int64(len(p))-1), func(res *http.Response) error {
			switch res.StatusCode {
			case http.StatusPartialContent:
			case http.StatusOK:
				w := &Archive{remote: a.remote}
				if err := w.takeWhole(res, a.size); err != nil {
					return err
				}
				if w.size != a.size {
					if w.whole != nil {
						discard(w.whole)
					}
					return errChanged
				}
				whole = w
				return nil
			default:
				return statusOf(res)
			}
			from, to, total, err := contentRange(res)
			if err != nil {
				return err
			}
			if total != a.size || from != off+got || to < from || to >= off+int64(len(p)) {
				return permanent(fmt.Errorf("the server sent bytes %d-%d of %d for %d-%d of %d",
					from, to, total, off+got, off+int64(len(p))-1, a.size))
			}
			n, err := io.ReadFull(res.Body, p[got:got+to-from+1])
			got += int64(n)
			if n > 0 {
				return nil // what is missing is asked for again
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return whole, nil
}

// Size is the archive's length in bytes.
func (a *Archive) Size() int64 { return a.size }

// Requests is the number of HTTP requests made so far, Fetched the bytes they brought.
func (a *Archive) Requests() int { return int(a.remote.requests.Load()) }

// Fetched is the number of body bytes read so far.
func (a *Archive) Fetched() int64 { return a.remote.fetched.Load() }

// Close frees what Open and ReadAt hold.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tail, a.blocks, a.tailOff = nil, nil, a.size
	if a.whole != nil {
		discard(a.whole)
		a.whole = nil
	}
	a.remote.cancel()
	return nil
}
