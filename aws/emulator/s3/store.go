package s3

import (
	"crypto/rand"
	"regexp"
	"sync"
	"time"
)

// mostObject is the largest object, in bytes. S3 takes 5 GB at once; code that
// Lambda can take is far smaller, and this account keeps objects in memory.
const mostObject = 512 << 20

// The states of versioning in a bucket that has ever had it
// (docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html).
const (
	versioned = "Enabled"
	suspended = "Suspended"
)

// nullVersion is the id of what is stored without versioning (same page).
const nullVersion = "null"

// bucket names are everybody's: they are unique over all accounts and regions.
type bucket struct {
	Account, Region string
	Created         time.Time
	Versioning      string               `json:",omitempty"`
	Objects         map[string][]*object // by key: its versions, the latest last; never an empty list
	uploads         map[string]*upload   // by id
}

// object is a version of one. It never changes: another put makes another.
type object struct {
	Version  string
	Marker   bool `json:",omitempty"` // a delete marker: it has nothing but Version and Modified
	Modified time.Time
	ETag     string            `json:",omitempty"`
	Header   map[string]string `json:",omitempty"` // what is answered with it
	Sum      checksum          `json:"Checksum"`
	SHA256   string            `json:",omitempty"` // hex; names the saved file
	data     []byte
}

// Store is S3, in every account and region. It is safe for concurrent use.
type Store struct {
	mu      sync.RWMutex
	buckets map[string]*bucket
}

// New makes an S3 without buckets.
func New() *Store { return &Store{buckets: map[string]*bucket{}} }

// Error is a refusal of S3's.
type Error struct {
	Status        int
	Code, Message string
	header        map[string]string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

var (
	noBucket  = &Error{404, "NoSuchBucket", "The specified bucket does not exist", nil}
	noKey     = &Error{404, "NoSuchKey", "The specified key does not exist.", nil}
	noVersion = &Error{404, "NoSuchVersion", "The specified version does not exist.", nil}
	denied    = &Error{403, "AccessDenied", "Access Denied", nil}
	unmet     = &Error{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", nil}
	noMethod  = &Error{405, "MethodNotAllowed", "The specified method is not allowed against this resource.", nil}
	malformed = &Error{400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", nil}
	elsewhere = &Error{501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.", nil}
)

// find returns a bucket that an account may use. The caller holds s.mu.
func (s *Store) find(account, region, name string) (*bucket, *Error) {
	b := s.buckets[name]
	switch {
	case b == nil:
		return nil, noBucket
	case b.Account != account:
		return nil, denied
	case b.Region != region:
		return nil, &Error{301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
			map[string]string{"x-amz-bucket-region": b.Region}}
	}
	return b, nil
}

// matchVersion is the shape of the ids below. S3 tells an id that can't be one
// from one that isn't there (https://github.com/getmoto/moto/pull/3532).
var matchVersion = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// newVersion makes a version's id: opaque, ready for a URL (Versioning.html).
func newVersion() string { return rand.Text() }

// version returns a version of an object; "" is the latest. Beside the error it
// returns the delete marker that is the reason.
func (b *bucket) version(key, id string) (*object, *Error) {
	all := b.Objects[key]
	if id == "" {
		if len(all) == 0 {
			return nil, noKey
		}
		if o := all[len(all)-1]; !o.Marker {
			return o, nil
		}
		return all[len(all)-1], noKey
	}
	if id != nullVersion && !matchVersion.MatchString(id) {
		return nil, &Error{400, "InvalidArgument", "Invalid version id specified", nil}
	}
	for _, o := range all {
		if o.Version == id {
			if o.Marker { // docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
				return o, noMethod
			}
			return o, nil
		}
	}
	return nil, noVersion
}

// add makes o the latest version of key, in place of the null version where the
// bucket does not keep versions.
func (b *bucket) add(key string, o *object) {
	if o.Version = nullVersion; b.Versioning == versioned {
		o.Version = newVersion()
	} else {
		b.drop(key, nullVersion)
	}
	b.Objects[key] = append(b.Objects[key], o)
}

// drop removes a version for good; it returns what it was, nil when there is none.
func (b *bucket) drop(key, id string) *object {
	all := b.Objects[key]
	for i, o := range all {
		if o.Version != id {
			continue
		}
		// A new list: readers may still hold the old one.
		if rest := append(append([]*object(nil), all[:i]...), all[i+1:]...); len(rest) > 0 {
			b.Objects[key] = rest
		} else {
			delete(b.Objects, key)
		}
		return o
	}
	return nil
}

// remove deletes an object as DeleteObject does: a version for good, else by a
// delete marker where the bucket keeps versions. It returns the version that is
// gone or the marker that was added, nil where S3 answers neither.
func (b *bucket) remove(key, id string, now time.Time) (*object, *Error) {
	switch {
	case id != "" && id != nullVersion && !matchVersion.MatchString(id):
		return nil, &Error{400, "InvalidArgument", "Invalid version id specified", nil}
	case id != "":
		o := b.drop(key, id)
		if o == nil { // deleting what is not there is no error
			o = &object{Version: id}
		}
		return o, nil
	case b.Versioning == "":
		b.drop(key, nullVersion)
		return nil, nil
	}
	marker := &object{Marker: true, Modified: now}
	b.add(key, marker)
	return marker, nil
}

// Read returns an object's bytes for Lambda, which must not be changed; version
// is "" for the latest. The error is an *Error.
func (s *Store) Read(account, region, name, key, version string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, e := s.find(account, region, name)
	if e != nil {
		if e.Status == 301 {
			// As Lambda quotes it in https://github.com/hashicorp/terraform/issues/16821.
			return nil, &Error{301, e.Code, "The bucket is in this region: " + s.buckets[name].Region + ". Please use this region to retry the request", nil}
		}
		return nil, e
	}
	o, e := b.version(key, version)
	if e != nil {
		return nil, e
	}
	return o.data, nil
}
