package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// maxResumes bounds how often one download goes on after a break.
const maxResumes = 100

// Download fetches the whole archive into file, atomically and owner-only, and
// fails unless its SHA-256 is what Lambda says. An interrupted transfer resumes
// by Range. progress, which may be nil, gets bytes done and total.
func Download(ctx context.Context, client *http.Client, name string, locate Locator, file string, progress func(done, total int64)) error {
	r := newRemote(ctx, client, name, locate)
	defer r.cancel()
	if err := download(ctx, r, file, progress); err != nil {
		return fmt.Errorf("download %s: %w", name, err)
	}
	return nil
}

func download(ctx context.Context, r *remote, file string, progress func(done, total int64)) (err error) {
	t, err := begin(ctx, r, file, progress)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = t.file.Close()
			_ = os.Remove(t.file.Name())
		}
	}()
	if err := t.run(r); err != nil {
		return err
	}
	if err := t.check(ctx); err != nil {
		return err
	}
	return t.keep(file)
}

// begin asks where the archive is and makes the file that it is written to,
// beside the one that it becomes.
func begin(ctx context.Context, r *remote, file string, progress func(done, total int64)) (*transfer, error) {
	loc, err := r.location(ctx)
	if err != nil {
		return nil, err
	}
	want, err := base64.StdEncoding.DecodeString(loc.SHA256)
	if err != nil || len(want) != sha256.Size {
		return nil, errors.New("no SHA-256 is known to hold it against")
	}
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".part-*")
	if err != nil {
		return nil, err
	}
	return &transfer{file: f, want: want, sum: sha256.New(), total: loc.Size, progress: progress}, nil
}

// transfer is a download under way.
type transfer struct {
	file     *os.File
	want     []byte // SHA-256
	sum      hash.Hash
	done     int64
	total    int64 // 0 while unknown
	progress func(done, total int64)
	// moved, which may be nil, is told how many bytes of the file can be read: by
	// each write after it, by a new start before it.
	moved func(done int64)
}

// check ends a transfer whose bytes have all arrived. Bytes that had already
// arrived do not undo a cancellation.
func (t *transfer) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if got := t.sum.Sum(nil); !bytes.Equal(got, t.want) {
		return fmt.Errorf("its SHA-256 is %x, Lambda says %x", got, t.want)
	}
	return nil
}

// keep gives the checked file its name, for good, and closes it: some systems
// rename no open file.
func (t *transfer) keep(file string) error {
	if err := t.file.Chmod(0o600); err != nil {
		return err
	}
	if err := t.file.Sync(); err != nil {
		return err
	}
	if err := t.file.Close(); err != nil {
		return err
	}
	return os.Rename(t.file.Name(), file)
}

func (t *transfer) run(r *remote) error {
	finished := false
	for resumes := 0; !finished; resumes++ {
		if resumes > maxResumes {
			return fmt.Errorf("it broke off %d times", resumes)
		}
		byteRange := ""
		if t.done > 0 {
			byteRange = fmt.Sprintf("bytes=%d-", t.done)
		}
		err := r.do(byteRange, func(res *http.Response) (err error) {
			finished, err = t.take(r, res)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// take writes one answer's body. A body that breaks off after some bytes is no
// error: the rest is asked for next.
func (t *transfer) take(r *remote, res *http.Response) (finished bool, err error) {
	length := res.ContentLength
	switch res.StatusCode {
	case http.StatusOK:
		if err := t.restart(); err != nil {
			return false, permanent(err)
		}
		r.pin(res)
		if length >= 0 {
			t.total = length
		}
	case http.StatusPartialContent:
		from, to, total, err := contentRange(res)
		if err != nil {
			return false, err
		}
		if from != t.done || (t.total > 0 && total != t.total) {
			return false, errChanged
		}
		t.total, length = total, to-from+1
	default:
		return false, statusOf(res)
	}
	limit := t.total
	if limit == 0 {
		limit = maxUnknown
	}
	if limit > maxUnknown {
		return false, permanent(fmt.Errorf("it is %d bytes, more than any Lambda archive", limit))
	}
	before := t.done
	src := io.LimitReader(res.Body, limit-t.done+1)
	_, err = io.CopyBuffer(writerOnly{t}, src, make([]byte, 256<<10))
	var write writeError
	switch {
	case errors.As(err, &write):
		return false, permanent(write.error)
	case t.done > limit:
		return false, permanent(fmt.Errorf("the server sends more than %d bytes", limit))
	case err == nil && (length < 0 || t.done == t.total):
		return true, nil
	case t.done > before:
		return false, nil
	case err == nil:
		return false, io.ErrUnexpectedEOF
	}
	return false, err
}

func (t *transfer) restart() error {
	t.done = 0
	if t.moved != nil {
		t.moved(0)
	}
	t.sum.Reset()
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return t.file.Truncate(0)
}

// writeError is a failure of the disk, which no further request mends.
type writeError struct{ error }

// writerOnly hides ReaderFrom, so that the buffer's size decides the steps.
type writerOnly struct{ io.Writer }

func (t *transfer) Write(p []byte) (int, error) {
	n, err := t.file.Write(p)
	t.sum.Write(p[:n])
	t.done += int64(n)
	if err != nil {
		return n, writeError{err}
	}
	if t.moved != nil {
		t.moved(t.done)
	}
	if t.progress != nil {
		t.progress(t.done, t.total)
	}
	return n, nil
}
