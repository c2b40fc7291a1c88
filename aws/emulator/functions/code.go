package functions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/s3"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Quotas of deployment packages, in bytes (quotas; the texts are recorded in
// test_oversized_zipped_create_lambda and test_oversized_unzipped_lambda).
const (
	mostZipped   = 52428800
	mostUnzipped = 262144000
)

// archive keeps an uploaded zip after Lambda's checks of the zip alone.
func (s *Store) archive(data []byte) (*objects.Object, error) {
	if len(data) > mostZipped {
		return nil, tooLarge("Zipped size must be smaller than %d bytes", mostZipped)
	}
	return s.unpacked(data)
}

// unpacked keeps a zip of any size that unzips to what Lambda can hold.
func (s *Store) unpacked(data []byte) (*objects.Object, error) {
	o, err := s.opts.Objects.Add(data)
	if err != nil { // recorded in test_create_lambda_exceptions
		return nil, invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	if o.Entries == 0 { // https://github.com/dumrauf/serverless_static_website_with_basic_auth/issues/17
		return nil, invalid("Uploaded file must be a non-empty zip")
	}
	if o.Unzipped >= mostUnzipped {
		return nil, invalid("Unzipped size must be smaller than %d bytes", mostUnzipped)
	}
	return o, nil
}

// origin is where a zip comes from: the call itself or a bucket.
type origin struct {
	zip                  []byte
	bucket, key, version *string
	mode                 types.S3ObjectStorageMode
}

// none reports that there is no source at all.
func (src origin) none() bool { return src.zip == nil && src.bucket == nil && src.key == nil }

// fetch keeps the zip of an origin after Lambda's checks of the zip alone.
func (s *Store) fetch(c wire.Call, src origin) (*objects.Object, error) {
	stored := src.bucket != nil || src.key != nil
	switch {
	case src.mode != "" && src.mode != types.S3ObjectStorageModeCopy:
		if err := oneOf(src.mode, "code.s3ObjectStorageMode", src.mode.Values()); err != nil {
			return nil, err
		}
		// What GetFunction then answers as Location is published nowhere.
		return nil, invalid("The embedded account only copies code out of buckets: leave out S3ObjectStorageMode %s.", src.mode)
	case src.zip != nil && (stored || src.version != nil):
		// No recording: the words are those that others' tests expect of AWS.
		return nil, invalid("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	case !stored:
		return s.archive(src.zip)
	case val(src.bucket) == "" || val(src.key) == "":
		return nil, invalid("Please provide both S3Bucket and S3Key.")
	}
	return s.stored(c, *src.bucket, *src.key, val(src.version))
}

// stored fetches a zip from a bucket, as Lambda does: the limit for direct uploads
// does not hold for it, that of the unzipped size does. The bucket must be in the
// function's region (SDK, FunctionCode.S3Bucket). The texts are recorded in
// test_lambda_code_location_s3_errors, that of a bucket that may not be read in
// https://github.com/SWO-GS/auto-tag/issues/105.
func (s *Store) stored(c wire.Call, bucket, key, version string) (*objects.Object, error) {
	refusal := &s3.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	if s.opts.Buckets != nil {
		data, err := s.opts.Buckets.Read(c.Account, c.Region, bucket, key, version)
		if err == nil {
			return s.unpacked(data)
		}
		if !errors.As(err, &refusal) {
			return nil, err
		}
	}
	if refusal.Code == "AccessDenied" {
		return nil, &wire.Error{Code: "AccessDeniedException", Status: 403, Message: fmt.Sprintf(
			"Your access has been denied by S3, please make sure your request credentials have permission to GetObject for %s/%s. S3 Error Code: %s. S3 Error Message: %s",
			bucket, key, refusal.Code, refusal.Message)}
	}
	return nil, invalid("Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", refusal.Code, refusal.Message)
}

// parcel is a deployment package that has passed the checks of its own.
type parcel struct {
	object *objects.Object
	image  *wire.Image
}

// newCode checks the code of a new function.
func (s *Store) newCode(ctx context.Context, c wire.Call, code *types.FunctionCode, kind types.PackageType, arch types.Architecture) (parcel, error) {
	if code == nil {
		return parcel{}, missing("code")
	}
	uri := val(code.ImageUri)
	src := origin{code.ZipFile, code.S3Bucket, code.S3Key, code.S3ObjectVersion, code.S3ObjectStorageMode}
	if kind == types.PackageTypeImage {
		if uri == "" || !src.none() {
			return parcel{}, invalid("Please provide ImageUri when creating a function with packageType Image.")
		}
		return s.resolve(ctx, c, uri, arch)
	}
	switch {
	case uri != "":
		return parcel{}, invalid("Please don't provide ImageUri when creating a function with packageType Zip.")
	case src.none():
		return parcel{}, invalid("Please provide a source for function code.") // https://github.com/aws/aws-sdk-php/issues/580
	}
	o, err := s.fetch(c, src)
	return parcel{object: o}, err
}

func (s *Store) resolve(ctx context.Context, c wire.Call, uri string, arch types.Architecture) (parcel, error) {
	if s.opts.Images == nil {
		return parcel{}, invalid("Source image %s is not valid. Provide a valid source image.", uri)
	}
	img, err := s.opts.Images.Resolve(ctx, c, uri, string(arch))
	if err != nil {
		return parcel{}, err
	}
	return parcel{image: &img}, nil
}

// put makes p the code of v. The caller holds s.mu.
func (p parcel) put(v *version) {
	if p.image != nil {
		// The hash of an image function is its digest in hex, its size 0: recorded
		// in test_lambda_image_crud.
		v.Object, v.Image = "", p.image
		v.Config.CodeSha256, v.Config.CodeSize = ptr(strings.TrimPrefix(p.image.Digest, "sha256:")), 0
		return
	}
	v.Object, v.Image = p.object.SHA256, nil
	v.Config.CodeSha256, v.Config.CodeSize = ptr(p.object.CodeSHA256()), p.object.Size()
}

// fits checks the unzipped size of code and layers together. The texts are from
// https://github.com/bento-video/bento/issues/1 and https://github.com/brefphp/bref/issues/450.
func (s *Store) fits(code *objects.Object, layers []string) error {
	sum := int64(0)
	for _, l := range layers {
		if o := s.opts.Objects.Get(l); o != nil {
			sum += o.Unzipped
		}
	}
	if sum >= mostUnzipped {
		return invalid("Layers consume more than the available size of %d bytes", mostUnzipped)
	}
	if sum+code.Unzipped >= mostUnzipped && len(layers) > 0 {
		return invalid("Function code combined with layers exceeds the maximum allowed size of %d bytes. The actual size is %d bytes.", mostUnzipped, sum+code.Unzipped)
	}
	return nil
}
