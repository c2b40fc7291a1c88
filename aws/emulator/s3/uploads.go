package s3

import (
	"crypto/md5" //nolint:gosec // S3's ETag is one
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of multipart uploads
// (docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
const (
	leastPart = 5 << 20 // bytes of every part but the last
	mostParts = 10000
)

// upload is one in parts.
type upload struct {
	key       string
	started   time.Time
	header    map[string]string
	algorithm string // of its checksum
	kind      string // fullObject or composite
	chosen    bool   // by the client
	parts     map[int]*object
}

var noUpload = &Error{404, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", nil}

func (s *Store) createUpload(r *request) error {
	if len(r.key) > mostKey {
		return longKey
	}
	u := &upload{key: r.key, started: r.now(), header: kept(r.Header), parts: map[int]*object{}}
	var err error
	if u.algorithm, u.kind, u.chosen, err = agreed(r.Header); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	id := rand.Text() + rand.Text()
	if b.uploads == nil {
		b.uploads = map[string]*upload{}
	}
	b.uploads[id] = u
	h := r.w.Header()
	h.Set("x-amz-checksum-algorithm", u.algorithm)
	h.Set("x-amz-checksum-type", u.kind)
	h.Set("x-amz-server-side-encryption", u.header["x-amz-server-side-encryption"])
	r.write(http.StatusOK, "InitiateMultipartUploadResult", struct {
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{r.bucket, r.key, id})
	return nil
}

// agreed is what an upload's checksum is to be, and whether the client has chosen
// it: full-object sums are for the CRCs, composite ones for all but CRC64NVME
// (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
// The refusals are recorded in test_multipart_parts_checksum_exceptions_composite
// and test_multipart_checksum_type_compatibility.
func agreed(h http.Header) (algorithm, kind string, chosen bool, err error) {
	algorithm, kind = strings.ToUpper(h.Get("x-amz-checksum-algorithm")), strings.ToUpper(h.Get("x-amz-checksum-type"))
	switch {
	case algorithm == "" && kind != "":
		return "", "", false, &Error{400, "InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.", nil}
	case algorithm == "":
		return usual, fullObject, false, nil
	case !slices.Contains(algorithms, algorithm):
		return "", "", false, &Error{400, "InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [" + strings.Join(algorithms, ", ") + "]", nil}
	case kind == "" && algorithm == usual:
		kind = fullObject
	case kind == "":
		kind = composite
	case kind == composite && algorithm == usual, kind == fullObject && strings.HasPrefix(algorithm, "SHA"), kind != fullObject && kind != composite:
		return "", "", false, &Error{400, "InvalidRequest", "The " + kind + " checksum type cannot be used with the " + strings.ToLower(algorithm) + " checksum algorithm.", nil}
	}
	return algorithm, kind, true, nil
}

// under finds the request's upload. The caller holds s.mu.
func (s *Store) under(r *request) (*bucket, *upload, error) {
	b, err := s.mine(r)
	if err != nil {
		return nil, nil, err
	}
	u := b.uploads[r.query.Get("uploadId")]
	if u == nil || u.key != r.key {
		return nil, nil, noUpload
	}
	return b, u, nil
}

func (s *Store) uploadPart(r *request) error {
	return s.addPart(r, func() ([]byte, checksum, error) { return read(r.Request) }, func(part *object) {
		r.w.Header().Set("ETag", part.ETag)
		r.w.Header().Set(sumHeader(part.Sum.Algorithm), part.Sum.Value)
		r.w.WriteHeader(http.StatusOK)
	})
}

func (s *Store) copyPart(r *request) error {
	return s.addPart(r, func() ([]byte, checksum, error) {
		o, _, err := s.copied(r)
		if err != nil {
			return nil, checksum{}, err
		}
		data := o.data
		if want := r.Header.Get("x-amz-copy-source-range"); want != "" {
			var first, last int
			if _, err := fmt.Sscanf(want, "bytes=%d-%d", &first, &last); err != nil || first > last || last >= len(data) {
				return nil, checksum{}, &Error{400, "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy", nil}
			}
			data = data[first : last+1]
		}
		sum, err := asked(data)
		return data, sum, err
	}, func(part *object) {
		r.write(http.StatusOK, "CopyPartResult", copyResult{part.ETag, stamp(part.Modified)})
	})
}

// addPart makes what content reads a part of the request's upload, and answers it.
func (s *Store) addPart(r *request, content func() ([]byte, checksum, error), answer func(*object)) error {
	number, err := strconv.Atoi(r.query.Get("partNumber"))
	if err != nil || number < 1 || number > mostParts {
		return &Error{400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", nil}
	}
	s.mu.RLock()
	_, u, err := s.under(r)
	s.mu.RUnlock()
	if err != nil {
		return err
	}
	data, sum, err := content()
	if err != nil {
		return err
	}
	if sum.Algorithm != u.algorithm && sum.brought && u.chosen { // recorded in test_multipart_parts_checksum_exceptions_composite
		return &Error{400, "InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: " + strings.ToLower(u.algorithm) + ", actual checksum Type: " + strings.ToLower(sum.Algorithm), nil}
	}
	if sum.Algorithm != u.algorithm {
		if sum, err = asked(data, http.Header{"X-Amz-Sdk-Checksum-Algorithm": {u.algorithm}}); err != nil {
			return err
		}
	}
	part := newObject(data, sum, nil, r.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, u, err = s.under(r); err != nil { // it may have ended meanwhile
		return err
	}
	total := len(data)
	for n, p := range u.parts {
		if n != number {
			total += len(p.data)
		}
	}
	if total > mostObject {
		return &Error{400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", nil}
	}
	u.parts[number] = part
	answer(part)
	return nil
}

func (s *Store) abortUpload(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, _, err := s.under(r)
	if err != nil {
		return err
	}
	delete(b.uploads, r.query.Get("uploadId"))
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

// named is a part as CompleteMultipartUpload names it.
type named struct {
	PartNumber                                                                     int
	ETag                                                                           string
	ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 string
}

func (n named) sum(algorithm string) string {
	return map[string]string{"CRC32": n.ChecksumCRC32, "CRC32C": n.ChecksumCRC32C, usual: n.ChecksumCRC64NVME, "SHA1": n.ChecksumSHA1, "SHA256": n.ChecksumSHA256}[algorithm]
}

// check compares the parts that a client names with those it has sent. The
// refusals are recorded in test_complete_multipart_parts_order,
// test_multipart_complete_multipart_wrong_part, _too_small,
// test_complete_multipart_parts_checksum_composite and
// test_multipart_parts_checksum_exceptions_composite.
func (u *upload) check(list []named, parts map[int]*object) error {
	if len(list) == 0 {
		return &Error{400, "InvalidRequest", "You must specify at least one part", nil}
	}
	for i, p := range list {
		if i > 0 && p.PartNumber <= list[i-1].PartNumber {
			return &Error{400, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.", nil}
		}
	}
	kind := strings.ToLower(u.algorithm)
	for i, p := range list {
		part, given := parts[p.PartNumber], p.sum(u.algorithm)
		switch {
		case part == nil || strings.Trim(p.ETag, `"`) != strings.Trim(part.ETag, `"`):
			return &Error{400, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", nil}
		case i < len(list)-1 && len(part.data) < leastPart:
			return &Error{400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", nil}
		case given == "" && u.chosen && u.kind == composite:
			return &Error{400, "InvalidRequest", fmt.Sprintf("The upload was created using a %s checksum. The complete request must include the checksum for each part. It was missing for part %d in the request.", kind, p.PartNumber), nil}
		case given != "" && given != part.Sum.Value:
			return &Error{400, "BadDigest", fmt.Sprintf("The %s you specified for part %d did not match what we received.", kind, p.PartNumber), nil}
		}
	}
	return nil
}

func (s *Store) completeUpload(r *request) error {
	body, _, err := read(r.Request)
	if err != nil {
		return err
	}
	var list struct{ Part []named }
	if xml.Unmarshal(body, &list) != nil {
		return malformed
	}
	s.mu.RLock()
	_, u, err := s.under(r)
	if err != nil {
		s.mu.RUnlock()
		return err
	}
	parts := maps.Clone(u.parts)
	s.mu.RUnlock()
	if err := u.check(list.Part, parts); err != nil {
		return err
	}
	var data, tags, sums []byte
	for _, p := range list.Part {
		part := parts[p.PartNumber]
		data = append(data, part.data...)
		tag, _ := hex.DecodeString(strings.Trim(part.ETag, `"`))    // made by newObject
		value, _ := base64.StdEncoding.DecodeString(part.Sum.Value) // made by asked
		tags, sums = append(tags, tag...), append(sums, value...)
	}
	count := "-" + strconv.Itoa(len(list.Part))
	whole := checksum{Algorithm: u.algorithm, Value: base64.StdEncoding.EncodeToString(sum(u.algorithm, data)), Type: fullObject}
	if u.kind == composite {
		whole = checksum{Algorithm: u.algorithm, Value: base64.StdEncoding.EncodeToString(sum(u.algorithm, sums)) + count, Type: composite}
	}
	if want := r.Header.Get(sumHeader(u.algorithm)); want != "" && want != whole.Value {
		return &Error{400, "BadDigest", "The " + strings.ToLower(u.algorithm) + " you specified did not match the calculated checksum.", nil}
	}
	o := newObject(data, whole, u.header, r.now())
	tag := md5.Sum(tags) //nolint:gosec // S3's
	o.ETag = `"` + hex.EncodeToString(tag[:]) + count + `"`
	if err := s.store(r, o); err != nil {
		return err
	}
	s.mu.Lock()
	if b := s.buckets[r.bucket]; b != nil {
		delete(b.uploads, r.query.Get("uploadId"))
	}
	s.mu.Unlock()
	r.write(http.StatusOK, "CompleteMultipartUploadResult", completed{
		Location: "http://" + r.Host + "/" + r.bucket + "/" + r.key, Bucket: r.bucket, Key: r.key, ETag: o.ETag,
		ChecksumType: whole.Type, Sum: sumElement(whole),
	})
	return nil
}

type completed struct {
	Location, Bucket, Key, ETag, ChecksumType string
	Sum                                       *element
}

// element is one whose name is a value.
type element struct {
	XMLName xml.Name
	Text    string `xml:",chardata"`
}

// sumElement is a checksum as documents hold it, such as ChecksumCRC32.
func sumElement(c checksum) *element {
	return &element{xml.Name{Local: "Checksum" + c.Algorithm}, c.Value}
}

// listParts lists an upload, by pages.
func (s *Store) listParts(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, u, err := s.under(r)
	if err != nil {
		return err
	}
	type part struct {
		PartNumber         int
		LastModified, ETag string
		Size               int
		Sum                *element
	}
	after, _ := strconv.Atoi(r.query.Get("part-number-marker")) // "" is from the beginning
	most := pageSize(r.query.Get("max-parts"))
	var result struct {
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		StorageClass         string
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		MaxParts             int
		IsTruncated          bool
		Part                 []part
	}
	result.Bucket, result.Key, result.UploadID, result.StorageClass = r.bucket, r.key, r.query.Get("uploadId"), "STANDARD"
	result.PartNumberMarker, result.MaxParts = after, most
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= after {
			continue
		}
		if len(result.Part) == most {
			result.IsTruncated = true
			break
		}
		p := u.parts[n]
		result.Part = append(result.Part, part{n, stamp(p.Modified), p.ETag, len(p.data), sumElement(p.Sum)})
		result.NextPartNumberMarker = n
	}
	r.write(http.StatusOK, "ListPartsResult", result)
	return nil
}
