package objects

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tamper is what a fault does to one download.
type Tamper struct {
	// Keep cuts the body after so many bytes, while Content-Length promises all; 0 cuts nothing.
	Keep int64
	// Flip changes one byte of the body.
	Flip bool
	// IgnoreRange answers the whole object to a ranged request.
	IgnoreRange bool
}

// modified is the Last-Modified of every object; S3 objects have one, and
// nobody depends on which.
var modified = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Serve answers a request under Prefix. now is the account's clock.
func (s *Store) Serve(w http.ResponseWriter, r *http.Request, now time.Time, t Tamper) {
	w.Header().Set("x-amz-request-id", s.sign("request", now.String())[:16])
	// A presigned URL is for the method it was signed with: Lambda's are for GET.
	if code, message := s.check(r.Method, r.URL.EscapedPath(), r.URL.Query(), now); code != "" {
		refuse(w, r, http.StatusForbidden, code, message)
		return
	}
	path := r.URL.Path
	o := s.Get(path[strings.LastIndexByte(path, '-')+1:])
	if o == nil {
		refuse(w, r, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		return
	}
	// S3's ETag of an object under KMS is an opaque 32 hex digits, not the MD5 sum.
	etag := `"` + o.SHA256[:32] + `"`
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Accept-Ranges", "bytes")
	h.Set("Last-Modified", modified.Format(http.TimeFormat))
	h.Set("Content-Type", "application/zip")
	if m := r.Header.Get("If-Match"); m != "" && !matches(m, etag) {
		refuse(w, r, http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
		return
	}
	if m := r.Header.Get("If-None-Match"); m != "" && matches(m, etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	from, to, status := int64(0), o.Size(), http.StatusOK
	want := r.Header.Get("Range")
	if ir := r.Header.Get("If-Range"); ir != "" && ir != etag && ir != modified.Format(http.TimeFormat) {
		want = ""
	}
	if want != "" && !t.IgnoreRange {
		a, b, err := parseRange(want, o.Size())
		switch {
		case errors.Is(err, errUnsatisfiable):
			h.Set("Content-Range", "bytes */"+strconv.FormatInt(o.Size(), 10))
			refuse(w, r, http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
			return
		case err == nil:
			from, to, status = a, b, http.StatusPartialContent
			h.Set("Content-Range", "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(to-1, 10)+"/"+strconv.FormatInt(o.Size(), 10))
		}
	}
	body := o.data[from:to]
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if t.Flip && len(body) > 0 {
		body = bytes.Clone(body)
		body[len(body)/2] ^= 0xff
	}
	if t.Keep > 0 && t.Keep < int64(len(body)) {
		_, _ = w.Write(body[:t.Keep])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler) // closes the connection in the middle of the body
	}
	_, _ = io.Copy(w, bytes.NewReader(body))
}

func matches(header, etag string) bool {
	for m := range strings.SplitSeq(header, ",") {
		if m = strings.TrimSpace(m); m == "*" || strings.Trim(m, `"`) == strings.Trim(etag, `"`) {
			return true
		}
	}
	return false
}

var (
	errUnsatisfiable = errors.New("range not satisfiable")
	errIgnored       = errors.New("not a range S3 answers")
)

// parseRange reads one range as S3 does: several ranges and malformed ones are
// ignored; an over-long suffix is the whole object.
func parseRange(header string, size int64) (from, to int64, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, 0, errIgnored
	}
	if first == "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, errIgnored
		}
		if n == 0 || size == 0 {
			return 0, 0, errUnsatisfiable
		}
		return max(0, size-n), size, nil
	}
	from, err = strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return 0, 0, errIgnored
	}
	to = size
	if last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < from {
			return 0, 0, errIgnored
		}
		to = min(size, n+1)
	}
	if from >= size {
		return 0, 0, errUnsatisfiable
	}
	return from, to, nil
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	body, _ := xml.Marshal(struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		RequestID string `xml:"RequestId"`
	}{Code: code, Message: message, RequestID: w.Header().Get("x-amz-request-id")})
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append([]byte(xml.Header), body...))
	}
}
