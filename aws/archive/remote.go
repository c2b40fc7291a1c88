package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// attempts bounds the tries of one request that brings nothing.
const attempts = 5

// stallAfter ends a transfer that brings no byte for so long; it is then
// tried again from where it stopped.
const stallAfter = 30 * time.Second

var (
	errStalled = errors.New("the transfer stalled")
	errChanged = permanentError{errors.New("the archive has changed while it was read; start again")}
)

// StatusError is an HTTP answer that ends the reading of an archive.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the download server answered HTTP %d %s", e.Status, http.StatusText(e.Status))
}

// permanentError is one that no further try can mend.
type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

func permanent(err error) error { return permanentError{err} }

// remote is one archive's place: the URL of the hour and how it is asked.
type remote struct {
	ctx    context.Context
	cancel context.CancelFunc
	client *http.Client
	name   string
	locate Locator

	// backoff is how long to wait before try n, counted from 1.
	backoff func(n int) time.Duration
	stall   time.Duration

	requests atomic.Int64
	fetched  atomic.Int64

	mu     sync.Mutex // held while a URL is asked for, so that one expiry asks once
	loc    Location
	issued int // how many URLs there were
	etag   string
}

func newRemote(ctx context.Context, client *http.Client, name string, locate Locator) *remote {
	ctx, cancel := context.WithCancel(ctx)
	return &remote{
		ctx: ctx, cancel: cancel, client: client, name: name, locate: locate, stall: stallAfter,
		backoff: func(n int) time.Duration {
			d := 100 * time.Millisecond << min(n, 5)
			return d/2 + rand.N(d)
		},
	}
}

// location returns the current Location, asking for it the first time.
func (r *remote) location(ctx context.Context) (Location, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.issued > 0 {
		return r.loc, nil
	}
	return r.loc, r.renew(ctx)
}

// renew asks for a URL. The caller holds mu.
func (r *remote) renew(ctx context.Context) error {
	loc, err := r.locate(ctx)
	if err != nil {
		return err
	}
	if r.issued > 0 && r.loc.SHA256 != loc.SHA256 {
		return errChanged.error
	}
	r.loc = loc
	r.issued++
	return nil
}

// refresh replaces the URL that was number seen, unless somebody else has.
func (r *remote) refresh(seen int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.issued != seen {
		return nil
	}
	return r.renew(r.ctx)
}

// pin makes later requests fail when the object is no longer the one of res.
func (r *remote) pin(res *http.Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.etag = res.Header.Get("ETag")
}

// do makes one ranged request ("" asks for everything) and hands the answer to
// handle, which may be called several times: again after what may pass (a
// connection that breaks, 5xx, 408, 429), and once more with a new URL after
// 400, 401 or 403, which is how S3 answers an expired one.
func (r *remote) do(byteRange string, handle func(*http.Response) error) error {
	renewed := false
	for try := 1; ; try++ {
		issued, err := r.once(byteRange, handle)
		var status *StatusError
		var last permanentError
		switch {
		case err == nil:
			return nil
		case r.ctx.Err() != nil:
			return context.Cause(r.ctx)
		case errors.As(err, &last):
			return last.error
		case errors.As(err, &status):
			switch {
			case status.Status == http.StatusBadRequest, status.Status == http.StatusUnauthorized, status.Status == http.StatusForbidden:
				if renewed {
					return err
				}
				renewed = true
				if err := r.refresh(issued); err != nil {
					return err
				}
				continue
			case status.Status == http.StatusPreconditionFailed:
				return errChanged.error
			case status.Status < 500 && status.Status != http.StatusRequestTimeout && status.Status != http.StatusTooManyRequests:
				return err
			}
		}
		if try >= attempts {
			return err
		}
		timer := time.NewTimer(r.backoff(try))
		select {
		case <-timer.C:
		case <-r.ctx.Done():
			timer.Stop()
			return context.Cause(r.ctx)
		}
	}
}

// once makes a single request, and says which URL it was made with.
func (r *remote) once(byteRange string, handle func(*http.Response) error) (issued int, err error) {
	r.mu.Lock()
	loc, etag := r.loc, r.etag
	issued = r.issued
	r.mu.Unlock()
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, loc.URL, nil)
	if err != nil {
		return issued, permanent(errors.New("the download URL cannot be read"))
	}
	// identity: a compressed answer's ranges would not be the archive's.
	req.Header.Set("Accept-Encoding", "identity")
	if byteRange != "" {
		req.Header.Set("Range", byteRange)
	}
	if etag != "" {
		req.Header.Set("If-Match", etag)
	}
	r.requests.Add(1)
	watch := time.AfterFunc(r.stall, func() { cancel(errStalled) })
	defer watch.Stop()
	res, err := r.client.Do(req)
	if err != nil {
		return issued, withoutURL(ctx, err)
	}
	defer res.Body.Close()
	res.Body = &body{ReadCloser: res.Body, remote: r, ctx: ctx, watch: watch}
	err = handle(res)
	var status *StatusError
	if errors.As(err, &status) {
		// Read to the end, within reason, so that the connection is kept.
		_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	}
	return issued, err
}

// statusOf is the error of an answer that the caller has no use for.
func statusOf(res *http.Response) error { return &StatusError{Status: res.StatusCode} }

// withoutURL strips the presigned URL from a transport error.
func withoutURL(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// body counts what arrives and keeps the stall watch quiet while it does.
type body struct {
	io.ReadCloser
	remote *remote
	ctx    context.Context
	watch  *time.Timer
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.remote.fetched.Add(int64(n))
		b.watch.Reset(b.remote.stall)
	}
	if err != nil && err != io.EOF {
		err = withoutURL(b.ctx, err)
	}
	return n, err
}

// contentRange reads "bytes FROM-TO/TOTAL".
func contentRange(res *http.Response) (from, to, total int64, err error) {
	h := res.Header.Get("Content-Range")
	if _, err := fmt.Sscanf(h, "bytes %d-%d/%d", &from, &to, &total); err != nil || from < 0 || to < from || total <= to {
		return 0, 0, 0, permanent(fmt.Errorf("the server sent a part without saying which (Content-Range %q)", h))
	}
	return from, to, total, nil
}
