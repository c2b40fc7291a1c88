package s3

import (
	"bufio"
	"bytes"
	"crypto/md5" //nolint:gosec // S3's ETag is one
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
var matchBucket = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// split finds the bucket and key of a request, by path or by host name.
func split(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host, _, _ := strings.Cut(r.Host, ":")
	if name, ok := strings.CutSuffix(host, ".localhost"); ok {
		return name, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// Operation names a request as S3's API does.
func Operation(r *http.Request) string {
	_, key := split(r)
	what := map[string]string{http.MethodPut: "Create", http.MethodHead: "Head", http.MethodDelete: "Delete", http.MethodGet: "List"}[r.Method] + "Bucket"
	if key != "" {
		what = map[string]string{http.MethodPut: "Put", http.MethodHead: "Head", http.MethodDelete: "Delete", http.MethodGet: "Get"}[r.Method] + "Object"
	}
	return what
}

// Serve answers a request of call's account and region.
func (s *Store) Serve(w http.ResponseWriter, r *http.Request, call wire.Call) {
	w.Header().Set("x-amz-request-id", call.ID)
	if err := s.serve(w, r, call); err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = &Error{400, "IncompleteBody", err.Error()}
		}
		refuse(w, r, call, e)
	}
}

func (s *Store) serve(w http.ResponseWriter, r *http.Request, call wire.Call) error {
	name, key := split(r)
	q := r.URL.Query()
	switch {
	case q.Has("uploads") || q.Has("uploadId") || q.Has("versioning") || r.Header.Get("x-amz-copy-source") != "":
		return &Error{501, "NotImplemented", "A header or query you provided implies functionality that is not implemented."}
	case key == "" && r.Method == http.MethodPut:
		return s.create(w, call, name)
	case key == "" && r.Method != http.MethodHead && r.Method != http.MethodDelete:
		return &Error{501, "NotImplemented", "The embedded account does not list buckets or objects."}
	case key != "" && r.Method == http.MethodPut:
		return s.put(w, r, call, name, key)
	}
	s.mu.Lock()
	b, e := s.find(call.Account, call.Region, name)
	if e != nil {
		s.mu.Unlock()
		return e
	}
	o := b.Objects[key]
	full := len(b.Objects) > 0
	switch {
	case r.Method == http.MethodDelete && key == "" && !full:
		delete(s.buckets, name)
	case r.Method == http.MethodDelete && key != "":
		delete(b.Objects, key)
	}
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodDelete && key == "" && full:
		return &Error{409, "BucketNotEmpty", "The bucket you tried to delete is not empty"}
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
	case key == "":
		w.Header().Set("x-amz-bucket-region", b.Region)
		w.WriteHeader(http.StatusOK)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return &Error{405, "MethodNotAllowed", "The specified method is not allowed against this resource."}
	case o == nil:
		return noKey
	default:
		w.Header().Set("ETag", o.ETag)
		w.Header().Set("Content-Type", o.ContentType)
		http.ServeContent(w, r, "", o.Modified, bytes.NewReader(o.data)) // Range and conditions
	}
	return nil
}

func (s *Store) create(w http.ResponseWriter, call wire.Call, name string) error {
	if !matchBucket.MatchString(name) {
		return &Error{400, "InvalidBucketName", "The specified bucket is not valid."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil {
		if b.Account == call.Account {
			return &Error{409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it."}
		}
		return &Error{409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."}
	}
	s.buckets[name] = &bucket{Account: call.Account, Region: call.Region, Objects: map[string]*object{}}
	w.Header().Set("Location", "/"+name)
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Store) put(w http.ResponseWriter, r *http.Request, call wire.Call, name, key string) error {
	s.mu.RLock()
	_, e := s.find(call.Account, call.Region, name)
	s.mu.RUnlock()
	if e != nil {
		return e
	}
	if len(key) > 1024 {
		return &Error{400, "KeyTooLongError", "Your key is too long"}
	}
	data, err := read(r)
	if err != nil {
		return err
	}
	if len(data) > mostObject {
		return &Error{400, "EntityTooLarge", fmt.Sprintf("Your proposed upload exceeds the maximum allowed size: this account takes %d bytes", mostObject)}
	}
	sum, hash := md5.Sum(data), sha256.Sum256(data) //nolint:gosec // S3's ETag
	if want := r.Header.Get("x-amz-content-sha256"); len(want) == 64 && want != hex.EncodeToString(hash[:]) {
		return &Error{400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."}
	}
	o := &object{
		ETag: `"` + hex.EncodeToString(sum[:]) + `"`, ContentType: r.Header.Get("Content-Type"),
		Modified: call.Now.UTC().Truncate(time.Second), SHA256: hex.EncodeToString(hash[:]), data: data,
	}
	if o.ContentType == "" {
		o.ContentType = "binary/octet-stream"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, e := s.find(call.Account, call.Region, name) // it may have gone meanwhile
	if e != nil {
		return e
	}
	b.Objects[key] = o
	w.Header().Set("ETag", o.ETag)
	w.WriteHeader(http.StatusOK)
	return nil
}

// read returns the body, out of its chunks where the client signs by chunk
// (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html). It reads one
// byte more than is allowed.
func read(r *http.Request) ([]byte, error) {
	body := io.LimitReader(r.Body, mostObject+mostObject/16)
	var out bytes.Buffer
	if !strings.HasPrefix(r.Header.Get("x-amz-content-sha256"), "STREAMING-") {
		_, err := out.ReadFrom(io.LimitReader(body, mostObject+1))
		return out.Bytes(), err
	}
	in := bufio.NewReader(body)
	for out.Len() <= mostObject {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("read chunk: %w", err)
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("read chunk: %q is no size", size)
		}
		if n == 0 {
			return out.Bytes(), nil // what follows are checksums, which nobody needs on loopback
		}
		if _, err := io.CopyN(&out, in, n); err != nil {
			return nil, fmt.Errorf("read chunk: %w", err)
		}
		if _, err := in.Discard(2); err != nil {
			return nil, fmt.Errorf("read chunk: %w", err)
		}
	}
	return out.Bytes(), nil
}

func refuse(w http.ResponseWriter, r *http.Request, call wire.Call, e *Error) {
	body, _ := xml.Marshal(struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}{Code: e.Code, Message: e.Message, RequestID: call.ID})
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(e.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(append([]byte(xml.Header), body...))
	}
}
