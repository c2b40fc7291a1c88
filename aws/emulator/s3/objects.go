package s3

import (
	"bytes"
	"crypto/md5" //nolint:gosec // S3's ETag is one
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// mostKey is the longest key, in bytes of UTF-8
// (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
const mostKey = 1024

var longKey = &Error{400, "KeyTooLongError", "Your key is too long", nil}

// kept are the headers of an upload that are answered with the object
// (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html).
func kept(from http.Header) map[string]string {
	out := map[string]string{
		"Content-Type": "binary/octet-stream",
		// docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
		"x-amz-server-side-encryption": "AES256",
	}
	for _, name := range []string{"Content-Type", "Cache-Control", "Content-Disposition", "Content-Language", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"} {
		if v := from.Get(name); v != "" {
			out[name] = v
		}
	}
	var codings []string
	for coding := range strings.SplitSeq(from.Get("Content-Encoding"), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			codings = append(codings, coding)
		}
	}
	if len(codings) > 0 {
		out["Content-Encoding"] = strings.Join(codings, ",")
	}
	for name := range from {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-meta-") {
			out[low] = from.Get(name)
		}
	}
	return out
}

// newObject makes an object of what was sent.
func newObject(data []byte, sum checksum, header map[string]string, now time.Time) *object {
	tag, hash := md5.Sum(data), sha256.Sum256(data) //nolint:gosec // S3's ETag
	return &object{
		Modified: now, ETag: `"` + hex.EncodeToString(tag[:]) + `"`, Header: header, Sum: sum,
		SHA256: hex.EncodeToString(hash[:]), data: data,
	}
}

// store makes o the latest of the request's key, under the conditions of
// docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html.
func (s *Store) store(r *request, o *object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r) // it may have gone since it was looked for
	if err != nil {
		return err
	}
	latest, missing := b.version(r.key, "")
	if r.Header.Get("If-None-Match") == "*" && missing == nil {
		return unmet
	}
	if match := r.Header.Get("If-Match"); match != "" {
		if missing != nil {
			return missing
		}
		if strings.Trim(match, `"`) != strings.Trim(latest.ETag, `"`) {
			return unmet
		}
	}
	b.add(r.key, o)
	r.told(b, o)
	return nil
}

// Write puts an object for a service of the account's. The error is an *Error.
func (s *Store) Write(account, region, name, key string, data []byte, now time.Time) error {
	sum, err := asked(data)
	if err != nil {
		return err
	}
	o := newObject(data, sum, kept(http.Header{"Content-Type": {"application/json"}}), now.UTC().Truncate(time.Second))
	s.mu.Lock()
	defer s.mu.Unlock()
	b, e := s.find(account, region, name)
	if e != nil {
		return e
	}
	b.add(key, o)
	return nil
}

// told sets the headers that say what an upload has made.
func (r *request) told(b *bucket, o *object) {
	h := r.w.Header()
	h.Set("ETag", o.ETag)
	for _, name := range []string{"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"} {
		if v := o.Header[name]; v != "" {
			h.Set(name, v)
		}
	}
	if b.Versioning != "" {
		h.Set("x-amz-version-id", o.Version)
	}
}

// open says early that there is no such bucket, before a body is read.
func (s *Store) open(r *request) error {
	if len(r.key) > mostKey {
		return longKey
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, err := s.mine(r)
	return err
}

func (s *Store) putObject(r *request) error {
	if err := s.open(r); err != nil {
		return err
	}
	data, sum, err := read(r.Request)
	if err != nil {
		return err
	}
	if err := s.store(r, newObject(data, sum, kept(r.Header), r.now())); err != nil {
		return err
	}
	r.w.Header().Set(sumHeader(sum.Algorithm), sum.Value)
	r.w.Header().Set("x-amz-checksum-type", sum.Type)
	r.w.WriteHeader(http.StatusOK)
	return nil
}

// copied finds what a request copies, and whether it would copy it onto itself.
func (s *Store) copied(r *request) (from *object, self bool, err error) {
	path, err := url.PathUnescape(strings.TrimPrefix(r.Header.Get("x-amz-copy-source"), "/"))
	path, id, _ := strings.Cut(path, "?versionId=")
	name, key, ok := strings.Cut(path, "/")
	if err != nil || !ok {
		return nil, false, &Error{400, "InvalidArgument", "Invalid copy source object key", nil}
	}
	if err := s.open(r); err != nil {
		return nil, false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, e := s.find(r.call.Account, r.call.Region, name)
	if e != nil {
		return nil, false, e
	}
	o, e := b.version(key, id)
	if e != nil {
		return nil, false, e
	}
	return o, name == r.bucket && key == r.key && id == "", nil
}

func (s *Store) copyObject(r *request) error {
	o, self, err := s.copied(r)
	if err != nil {
		return err
	}
	replace := r.Header.Get("x-amz-metadata-directive") == "REPLACE"
	if self && !replace {
		return &Error{400, "InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.", nil}
	}
	header := maps.Clone(o.Header)
	if replace {
		header = kept(r.Header)
	}
	sum, err := asked(o.data)
	if err != nil {
		return err
	}
	made := newObject(o.data, sum, header, r.now())
	if err := s.store(r, made); err != nil {
		return err
	}
	r.write(http.StatusOK, "CopyObjectResult", copyResult{made.ETag, stamp(made.Modified)})
	return nil
}

type copyResult struct{ ETag, LastModified string }

// stamp is a time as S3's documents write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// getObject answers GetObject and HeadObject.
func (s *Store) getObject(r *request) error {
	s.mu.RLock()
	b, err := s.mine(r)
	if err != nil {
		s.mu.RUnlock()
		return err
	}
	o, e := b.version(r.key, r.query.Get("versionId"))
	versions := b.Versioning != ""
	s.mu.RUnlock()
	h := r.w.Header()
	if o != nil && versions {
		h.Set("x-amz-version-id", o.Version)
	}
	if o != nil && o.Marker {
		h.Set("x-amz-delete-marker", "true")
	}
	if e != nil {
		return e
	}
	for k, v := range o.Header {
		h.Set(k, v)
	}
	h.Set("ETag", o.ETag)
	if strings.EqualFold(r.Header.Get("x-amz-checksum-mode"), "ENABLED") && r.Header.Get("Range") == "" {
		h.Set(sumHeader(o.Sum.Algorithm), o.Sum.Value)
		h.Set("x-amz-checksum-type", o.Sum.Type)
	}
	http.ServeContent(r.w, r.Request, "", o.Modified, bytes.NewReader(o.data)) // Range and conditions
	return nil
}

func (s *Store) deleteObject(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	gone, e := b.remove(r.key, r.query.Get("versionId"), r.now())
	if e != nil {
		return e
	}
	if gone != nil && b.Versioning != "" {
		r.w.Header().Set("x-amz-version-id", gone.Version)
		if gone.Marker {
			r.w.Header().Set("x-amz-delete-marker", "true")
		}
	}
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// mostDeleted is how many objects one request deletes
// (docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html).
const mostDeleted = 1000

func (s *Store) deleteObjects(r *request) error {
	data, _, err := read(r.Request)
	if err != nil {
		return err
	}
	var list struct {
		Object []struct {
			Key       string
			VersionID string `xml:"VersionId"`
		}
		Quiet bool
	}
	if xml.Unmarshal(data, &list) != nil || len(list.Object) == 0 || len(list.Object) > mostDeleted {
		return malformed
	}
	type deleted struct {
		Key                   string
		VersionID             string `xml:"VersionId,omitempty"`
		DeleteMarker          bool   `xml:",omitempty"`
		DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
	}
	type failed struct{ Key, Code, Message string }
	var result struct {
		Deleted []deleted
		Error   []failed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	for _, o := range list.Object {
		gone, e := b.remove(o.Key, o.VersionID, r.now())
		switch {
		case e != nil:
			result.Error = append(result.Error, failed{o.Key, e.Code, e.Message})
		case !list.Quiet:
			d := deleted{Key: o.Key, VersionID: o.VersionID}
			if gone != nil && gone.Marker {
				d.DeleteMarker, d.DeleteMarkerVersionID = true, gone.Version
			}
			result.Deleted = append(result.Deleted, d)
		}
	}
	r.write(http.StatusOK, "DeleteResult", result)
	return nil
}
