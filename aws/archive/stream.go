package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

// Stream is an archive that is read while it is downloaded into a file. Its
// ReadAt waits for the bytes it is asked for; the archive's end, which holds the
// directory, is fetched ahead by a request of its own. Nothing that was read
// counts before Verify has returned nil. It is safe for concurrent use.
type Stream struct {
	remote *remote
	file   string
	size   int64

	opened sync.RWMutex // held for writing while part changes its name
	part   *os.File     // as it is read

	ready    chan struct{} // closed when size and end are known, or never will be
	endErr   error         // why they will not
	verified chan struct{} // closed when the SHA-256 was compared, or the download failed
	settled  chan struct{} // closed when the file has its name, or has none

	mu     sync.Mutex
	moved  sync.Cond
	done   int64  // bytes of the part that can be read
	end    []byte // the archive's last bytes, until the part has them
	endOff int64
	err    error // why there is no verified archive
	unkept error // why the verified archive did not get its name
}

// Follow starts to download the archive into file, as Download does, and returns
// as soon as its directory can be read. Where the server ignores Range that is
// when all has arrived. Whoever gets a Stream calls Close.
//
// ctx bounds the download. progress, which may be nil, is called from the
// download's goroutine.
func Follow(ctx context.Context, client *http.Client, name string, locate Locator, file string, progress func(done, total int64)) (*Stream, error) {
	return follow(newRemote(ctx, client, name, locate), file, progress)
}

func follow(r *remote, file string, progress func(done, total int64)) (*Stream, error) {
	t, err := begin(r.ctx, r, file, progress)
	if err != nil {
		r.cancel()
		return nil, fmt.Errorf("download %s: %w", r.name, err)
	}
	s := &Stream{
		remote: r, file: file, part: t.file,
		ready: make(chan struct{}), verified: make(chan struct{}), settled: make(chan struct{}),
	}
	s.moved.L = &s.mu
	t.moved = s.reach
	go s.run(t)
	err = s.fetchEnd()
	ranged := s.size > 0
	s.endErr = err
	close(s.ready)
	if err == nil && !ranged { // no ranges: the whole archive is waited for
		err = s.Verify(r.ctx)
	} else if err != nil {
		err = fmt.Errorf("download %s: %w", r.name, err)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// fetchEnd fetches the archive's last bytes and what of its directory lies
// before them. A server that ignores Range leaves size at 0.
func (s *Stream) fetchEnd() error {
	a := &Archive{remote: s.remote}
	err := s.remote.do(tailRange, func(res *http.Response) error {
		switch res.StatusCode {
		case http.StatusPartialContent:
			return a.takeTail(res)
		case http.StatusOK, http.StatusRequestedRangeNotSatisfiable:
			return nil
		}
		return statusOf(res)
	})
	if err != nil || a.size == 0 {
		return err
	}
	end, off := a.tail, a.tailOff
	if start := directoryStart(end, off); start < off && off-start <= maxDirectory {
		end = make([]byte, a.size-start)
		whole, err := a.fetch(end[:off-start], start)
		if err != nil {
			return err
		}
		if whole != nil { // no more ranges now: the directory comes with the rest
			if whole.whole != nil {
				discard(whole.whole)
			}
			end = nil
		} else {
			copy(end[off-start:], a.tail)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size, s.end, s.endOff = a.size, end, a.size-int64(len(end))
	return nil
}

// run downloads, verifies and keeps.
func (s *Stream) run(t *transfer) {
	name := t.file.Name()
	defer close(s.settled)
	err := t.run(s.remote)
	if err == nil {
		err = t.check(s.remote.ctx)
	}
	<-s.ready
	if err == nil {
		err = s.endErr // nobody is going to use the archive
	}
	if err == nil {
		err = s.checkEnd(t.done)
	}
	if err != nil {
		_ = os.Remove(name)
		err = fmt.Errorf("download %s: %w", s.remote.name, err)
	}
	s.mu.Lock()
	s.err, s.end = err, nil
	s.mu.Unlock()
	s.moved.Broadcast()
	close(s.verified)
	if err != nil {
		return
	}
	if err := s.keep(t); err != nil {
		s.unkept = fmt.Errorf("download %s: %w", s.remote.name, err)
	}
}

// keep gives the archive its name; it can be read from there afterwards.
func (s *Stream) keep(t *transfer) error {
	err := t.file.Sync() // which is slow, and done while others still read
	s.opened.Lock()
	defer s.opened.Unlock()
	if err == nil {
		err = t.keep(s.file)
	}
	if err != nil {
		_ = os.Remove(t.file.Name())
		return err
	}
	f, err := os.Open(s.file)
	if err == nil {
		s.part = f
	}
	return err
}

// checkEnd holds the bytes that were fetched ahead, which the SHA-256 does not
// cover, against the verified ones.
func (s *Stream) checkEnd(total int64) error {
	if s.size == 0 {
		s.size = total
		return nil
	}
	if s.size != total {
		return errChanged.error
	}
	buf := make([]byte, 64<<10)
	for rest, off := s.end, s.endOff; len(rest) > 0; {
		n := min(len(rest), len(buf))
		if _, err := s.part.ReadAt(buf[:n], off); err != nil {
			return err
		}
		if string(buf[:n]) != string(rest[:n]) {
			return errChanged.error
		}
		rest, off = rest[n:], off+int64(n)
	}
	return nil
}

// reach says how many bytes of the part can be read.
func (s *Stream) reach(done int64) {
	s.mu.Lock()
	s.done = done
	s.mu.Unlock()
	s.moved.Broadcast()
}

// Size is the archive's length in bytes.
func (s *Stream) Size() int64 { return s.size }

// ReadAt implements io.ReaderAt. It waits until the bytes are there or the
// download has failed.
func (s *Stream) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset", s.remote.name)
	}
	want := min(int64(len(p)), max(s.size-off, 0))
	for want > 0 {
		n, err := s.arrived(p[:want], off)
		if err != nil {
			return 0, err
		}
		if n > 0 {
			break
		}
		s.opened.RLock()
		n, err = s.part.ReadAt(p[:want], off)
		s.opened.RUnlock()
		if err == nil {
			break
		}
		if err != io.EOF { // else the transfer has started anew
			return n, fmt.Errorf("read %s: %w", s.remote.name, err)
		}
	}
	if want < int64(len(p)) {
		return int(want), io.EOF
	}
	return int(want), nil
}

// arrived waits for p's bytes to be in the part, or copies them from the end.
func (s *Stream) arrived(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	need := off + int64(len(p))
	for s.done < need && s.err == nil {
		if s.end != nil && off >= s.endOff {
			return copy(p, s.end[off-s.endOff:]), nil
		}
		s.moved.Wait()
	}
	return 0, s.err
}

// Verify waits until the whole archive has arrived, and fails unless its SHA-256
// is what Lambda says. What ReadAt returned, before and after, is then of it.
func (s *Stream) Verify(ctx context.Context) error {
	select {
	case <-s.verified:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Wait waits until the verified archive is on disk under its name.
func (s *Stream) Wait(ctx context.Context) error {
	select {
	case <-s.settled:
		return errors.Join(s.Verify(ctx), s.unkept)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close ends a download that is not done, of which nothing is left then, and
// frees what ReadAt needs. A verified archive that is being put in its place
// gets there first.
func (s *Stream) Close() error {
	s.remote.cancel()
	<-s.settled
	s.opened.Lock()
	defer s.opened.Unlock()
	err := s.part.Close()
	if s.err != nil {
		_ = os.Remove(s.part.Name()) // again, for systems that remove no open file
	}
	return err
}
