package s3

import (
	"encoding/xml"
	"net"
	"net/http"
	"regexp"
	"time"
)

var (
	// docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	matchBucket   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	matchNoBucket = regexp.MustCompile(`\.\.|^xn--|^sthree-|-s3alias$|--ol-s3$`)
)

// home is the region whose endpoint takes bucket configurations for any region,
// and needs none for its own (docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html).
const home = "us-east-1"

func (s *Store) createBucket(r *request) error {
	if !matchBucket.MatchString(r.bucket) || matchNoBucket.MatchString(r.bucket) || net.ParseIP(r.bucket) != nil {
		return &Error{400, "InvalidBucketName", "The specified bucket is not valid.", nil}
	}
	data, _, err := read(r.Request)
	if err != nil {
		return err
	}
	var asked struct{ LocationConstraint string }
	if len(data) > 0 && xml.Unmarshal(data, &asked) != nil {
		return malformed
	}
	region := asked.LocationConstraint
	switch { // recorded in test_different_location_constraint
	case region == "" && r.call.Region == home:
		region = home
	case region == home && r.call.Region == home:
		return &Error{400, "InvalidLocationConstraint", "The specified location-constraint is not valid", nil}
	case region == home, region != r.call.Region && r.call.Region != home:
		what := region
		if what == "" {
			what = "unspecified"
		}
		return &Error{400, "IllegalLocationConstraintException", "The " + what + " location constraint is incompatible for the region specific endpoint this request was sent to.", nil}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch b := s.buckets[r.bucket]; {
	case b == nil:
		s.buckets[r.bucket] = &bucket{Account: r.call.Account, Region: region, Created: r.now(), Objects: map[string][]*object{}}
	case b.Account != r.call.Account:
		return &Error{409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.", nil}
	case b.Region != home || region != home: // there it is no error (API_CreateBucket.html)
		return &Error{409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", nil}
	}
	r.w.Header().Set("Location", "/"+r.bucket)
	r.w.WriteHeader(http.StatusOK)
	return nil
}

// now is the time as S3 keeps it, in whole seconds.
func (r *request) now() time.Time { return r.call.Now.UTC().Truncate(time.Second) }

func (s *Store) headBucket(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	r.w.Header().Set("x-amz-bucket-region", b.Region)
	r.w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Store) deleteBucket(r *request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r)
	switch {
	case err != nil:
		return err
	case len(b.Objects) > 0 && b.Versioning != "":
		return &Error{409, "BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in the bucket.", nil}
	case len(b.Objects) > 0:
		return &Error{409, "BucketNotEmpty", "The bucket you tried to delete is not empty", nil}
	}
	delete(s.buckets, r.bucket)
	r.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Store) getLocation(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	region := b.Region
	if region == home { // docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
		region = ""
	}
	r.write(http.StatusOK, "LocationConstraint", region)
	return nil
}

// getLifecycle says that no rule will expire anything: none can be set here.
func (s *Store) getLifecycle(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, err := s.mine(r); err != nil {
		return err
	}
	return &Error{404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", nil}
}

type versioningDocument struct {
	Status string `xml:",omitempty"`
}

func (s *Store) getVersioning(r *request) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	r.write(http.StatusOK, "VersioningConfiguration", versioningDocument{b.Versioning})
	return nil
}

func (s *Store) putVersioning(r *request) error {
	data, _, err := read(r.Request)
	if err != nil {
		return err
	}
	var asked versioningDocument
	if xml.Unmarshal(data, &asked) == nil && asked.Status == "" { // recorded in test_bucket_versioning_crud
		return &Error{400, "IllegalVersioningConfigurationException", "The Versioning element must be specified", nil}
	}
	if asked.Status != versioned && asked.Status != suspended {
		return malformed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.mine(r)
	if err != nil {
		return err
	}
	b.Versioning = asked.Status
	r.w.WriteHeader(http.StatusOK)
	return nil
}
