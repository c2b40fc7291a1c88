package s3

import (
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// mostListed is the size of every page of S3's
// (docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html).
const mostListed = 1000

// pageSize reads a parameter such as max-keys.
func pageSize(text string) int {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return min(n, mostListed)
	}
	return mostListed
}

func (s *Store) listBuckets(r *request) error {
	type one struct{ Name, CreationDate, BucketRegion string }
	var result struct {
		Owner             struct{ ID string }
		Buckets           struct{ Bucket []one }
		Prefix            string `xml:",omitempty"`
		ContinuationToken string `xml:",omitempty"`
	}
	result.Owner.ID, result.Prefix = r.call.Account, r.query.Get("prefix")
	most := 10000 // docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
	if n, err := strconv.Atoi(r.query.Get("max-buckets")); err == nil && n > 0 {
		most = min(n, most)
	}
	after, err := r.token()
	if err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		b := s.buckets[name]
		region := r.query.Get("bucket-region")
		if b.Account != r.call.Account || name <= after || !strings.HasPrefix(name, result.Prefix) || region != "" && region != b.Region {
			continue
		}
		if len(result.Buckets.Bucket) == most {
			result.ContinuationToken = token(result.Buckets.Bucket[most-1].Name)
			break
		}
		result.Buckets.Bucket = append(result.Buckets.Bucket, one{name, stamp(b.Created), b.Region})
	}
	r.write(http.StatusOK, "ListAllMyBucketsResult", result)
	return nil
}

func token(after string) string { return base64.RawURLEncoding.EncodeToString([]byte(after)) }

// token reads a page's token.
func (r *request) token() (string, error) {
	after, err := base64.RawURLEncoding.DecodeString(r.query.Get("continuation-token"))
	if err != nil || r.query.Has("continuation-token") && len(after) == 0 {
		return "", &Error{400, "InvalidArgument", "The continuation token provided is incorrect", nil}
	}
	return string(after), nil
}

// page is a part of a bucket's keys: those that begin with prefix and come after
// a key, and what they have in common up to the delimiter.
type page struct {
	keys, prefixes []string
	last           string // the last of either
	more           bool
}

// page walks sorted keys. A prefix that ends the page before counts with all that
// it stands for.
func (r *request) page(keys []string, after string, most int) page {
	var p page
	for _, key := range keys {
		if !strings.HasPrefix(key, r.query.Get("prefix")) || key <= after {
			continue
		}
		common := r.fold(key)
		if common != "" && (common == p.last || common == after) {
			continue
		}
		if len(p.keys)+len(p.prefixes) >= most {
			p.more = most > 0
			return p
		}
		if common != "" {
			p.prefixes, p.last = append(p.prefixes, common), common
		} else {
			p.keys, p.last = append(p.keys, key), key
		}
	}
	return p
}

// fold is what a key is listed under instead of itself: its part up to the first
// delimiter after the prefix; "" when it is listed itself.
func (r *request) fold(key string) string {
	prefix, delimiter := r.query.Get("prefix"), r.query.Get("delimiter")
	if delimiter == "" {
		return ""
	}
	head, _, ok := strings.Cut(key[len(prefix):], delimiter)
	if !ok {
		return ""
	}
	return prefix + head + delimiter
}

// coded writes keys as the client asked for.
func (r *request) coded(text string) string {
	if r.query.Get("encoding-type") == "url" {
		return strings.ReplaceAll(url.QueryEscape(text), "%2F", "/")
	}
	return text
}

type commonPrefix struct{ Prefix string }

func (r *request) common(p page) []commonPrefix {
	var out []commonPrefix
	for _, c := range p.prefixes {
		out = append(out, commonPrefix{r.coded(c)})
	}
	return out
}

// listing is the head of every list of a bucket's content.
type listing struct {
	Name, Prefix string
	Delimiter    string `xml:",omitempty"`
	EncodingType string `xml:",omitempty"`
	MaxKeys      int
	IsTruncated  bool
}

func (r *request) listing(most int, p page) listing {
	return listing{
		Name: r.bucket, Prefix: r.coded(r.query.Get("prefix")), Delimiter: r.coded(r.query.Get("delimiter")),
		EncodingType: r.query.Get("encoding-type"), MaxKeys: most, IsTruncated: p.more,
	}
}

// listObjects answers ListObjects and ListObjectsV2.
func (s *Store) listObjects(r *request) error {
	second := r.query.Get("list-type") == "2"
	after := r.query.Get("marker")
	if second {
		var err error
		if after, err = r.token(); err != nil {
			return err
		}
		if after == "" {
			after = r.query.Get("start-after")
		}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	var keys []string
	for key := range b.Objects {
		if _, e := b.version(key, ""); e == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys) // by bytes of UTF-8, as S3 does (API_ListObjectsV2.html)
	most := pageSize(r.query.Get("max-keys"))
	p := r.page(keys, after, most)
	type content struct {
		Key, LastModified, ETag         string
		ChecksumAlgorithm, ChecksumType string
		Size                            int
		StorageClass                    string
	}
	var contents []content
	for _, key := range p.keys {
		o, _ := b.version(key, "") // there, as above
		contents = append(contents, content{r.coded(key), stamp(o.Modified), o.ETag, o.Sum.Algorithm, o.Sum.Type, len(o.data), "STANDARD"})
	}
	var result struct {
		listing
		Marker                *string `xml:",omitempty"`
		NextMarker            string  `xml:",omitempty"`
		KeyCount              *int    `xml:",omitempty"`
		ContinuationToken     string  `xml:",omitempty"`
		NextContinuationToken string  `xml:",omitempty"`
		StartAfter            string  `xml:",omitempty"`
		Contents              []content
		CommonPrefixes        []commonPrefix
	}
	result.listing, result.Contents, result.CommonPrefixes = r.listing(most, p), contents, r.common(p)
	if second {
		count := len(p.keys) + len(p.prefixes)
		result.KeyCount, result.ContinuationToken, result.StartAfter = &count, r.query.Get("continuation-token"), r.coded(r.query.Get("start-after"))
		if p.more {
			result.NextContinuationToken = token(p.last)
		}
	} else {
		marker := r.coded(after)
		result.Marker = &marker
		if p.more && r.query.Get("delimiter") != "" { // API_ListObjects.html
			result.NextMarker = r.coded(p.last)
		}
	}
	r.write(http.StatusOK, "ListBucketResult", result)
	return nil
}

type listedVersion struct {
	Key          string
	VersionID    string `xml:"VersionId"`
	IsLatest     bool
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int   `xml:",omitempty"`
	StorageClass string `xml:",omitempty"`
}

type versionList struct {
	listing
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	Version             []listedVersion
	DeleteMarker        []listedVersion
	CommonPrefixes      []commonPrefix
}

// add lists one version of a key.
func (l *versionList) add(key string, o *object, latest bool) {
	v := listedVersion{Key: key, VersionID: o.Version, IsLatest: latest, LastModified: stamp(o.Modified)}
	if l.NextKeyMarker, l.NextVersionIDMarker = key, o.Version; o.Marker {
		l.DeleteMarker = append(l.DeleteMarker, v)
		return
	}
	size := len(o.data)
	v.ETag, v.Size, v.StorageClass = o.ETag, &size, "STANDARD"
	l.Version = append(l.Version, v)
}

func (s *Store) listVersions(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	key, id := r.query.Get("key-marker"), r.query.Get("version-id-marker")
	if key == "" && id != "" { // recorded in test_list_objects_versions_markers
		return &Error{400, "InvalidArgument", "A version-id marker cannot be specified without a key marker.", nil}
	}
	most := pageSize(r.query.Get("max-keys"))
	var out versionList
	more := r.versions(b, &out, key, id, most)
	out.listing = r.listing(most, page{more: more})
	out.KeyMarker, out.VersionIDMarker = r.coded(key), id
	if !more {
		out.NextKeyMarker, out.NextVersionIDMarker = "", ""
	}
	r.write(http.StatusOK, "ListVersionsResult", out)
	return nil
}

// versions lists what comes after the version id of key, or after all of key's,
// and reports whether there is more than most.
func (r *request) versions(b *bucket, out *versionList, after, id string, most int) bool {
	last, left := "", most
	for _, key := range slices.Sorted(maps.Keys(b.Objects)) {
		if !strings.HasPrefix(key, r.query.Get("prefix")) || key < after || key == after && id == "" {
			continue
		}
		if common := r.fold(key); common != "" {
			if common == last || common == after {
				continue
			}
			if left == 0 {
				return most > 0
			}
			left, last = left-1, common
			out.CommonPrefixes = append(out.CommonPrefixes, commonPrefix{r.coded(common)})
			out.NextKeyMarker, out.NextVersionIDMarker = r.coded(common), ""
			continue
		}
		all := b.Objects[key]
		for i := len(all) - 1; i >= 0; i-- {
			if key == after && id != "" {
				if all[i].Version == id {
					id = ""
				}
				continue
			}
			if left == 0 {
				return most > 0
			}
			left--
			out.add(r.coded(key), all[i], i == len(all)-1)
		}
	}
	return false
}

func (s *Store) listUploads(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	type one struct {
		Key                     string
		UploadID                string `xml:"UploadId"`
		Initiated, StorageClass string
	}
	var result struct {
		Bucket, Prefix string
		MaxUploads     int
		IsTruncated    bool
		Upload         []one
	}
	result.Bucket, result.Prefix, result.MaxUploads = r.bucket, r.query.Get("prefix"), mostListed
	for _, id := range slices.Sorted(maps.Keys(b.uploads)) {
		if u := b.uploads[id]; strings.HasPrefix(u.key, result.Prefix) {
			result.Upload = append(result.Upload, one{u.key, id, stamp(u.started), "STANDARD"})
		}
	}
	slices.SortStableFunc(result.Upload, func(a, b one) int { return strings.Compare(a.Key, b.Key) })
	r.write(http.StatusOK, "ListMultipartUploadsResult", result)
	return nil
}
