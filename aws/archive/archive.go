package archive

import (
	"context"
	"net/http"
)

// Location is where an archive can be fetched for a few minutes.
type Location struct {
	URL    string // presigned; a secret
	SHA256 string // base64, as Lambda gives it; "" when unknown
	Size   int64  // bytes; 0 when unknown
}

// Locator asks AWS for a fresh Location; it is called again when a URL has expired.
type Locator func(ctx context.Context) (Location, error)

// Archive is a remote zip as an io.ReaderAt. It is safe for concurrent use.
type Archive struct{}

// Open finds the archive's size and fetches its tail in one request. name is
// what errors call it. ctx bounds every later read.
func Open(ctx context.Context, client *http.Client, name string, locate Locator) (*Archive, error) {
	panic("not written yet")
}

// ReadAt implements io.ReaderAt by ranged requests.
func (a *Archive) ReadAt(p []byte, off int64) (int, error) { panic("not written yet") }

// Size is the archive's length in bytes.
func (a *Archive) Size() int64 { panic("not written yet") }

// Requests is the number of HTTP requests made so far, Fetched the bytes they brought.
func (a *Archive) Requests() int { panic("not written yet") }

// Fetched is the number of body bytes read so far.
func (a *Archive) Fetched() int64 { panic("not written yet") }

// Close frees what Open and ReadAt hold.
func (a *Archive) Close() error { panic("not written yet") }

// Download fetches the whole archive into file, atomically and owner-only, and
// fails unless its SHA-256 is what Lambda says. An interrupted transfer resumes
// by Range. progress, which may be nil, gets bytes done and total.
func Download(ctx context.Context, client *http.Client, name string, locate Locator, file string, progress func(done, total int64)) error {
	panic("not written yet")
}
