package functions

import (
	"context"
	"errors"
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

// stored fetches a zip from a bucket, as Lambda does: the limit for direct uploads
// does not hold for it, that of the unzipped size does. The texts are recorded in
// test_lambda_code_location_s3_errors.
func (s *Store) stored(c wire.Call, bucket, key, object *string) (*objects.Object, error) {
	refusal := &s3.Error{Code: "NoSuchBucket", Message: "The specified bucket does not exist"}
	switch {
	case val(key) == "":
		return nil, invalid("Please provide both S3Bucket and S3Key.")
	case val(object) != "":
		return nil, invalid("The embedded account keeps no versions of objects: leave out S3ObjectVersion.")
	case s.opts.Buckets != nil:
		data, err := s.opts.Buckets.Read(c.Account, c.Region, *bucket, *key)
		if err == nil {
			return s.unpacked(data)
		}
		if !errors.As(err, &refusal) {
			return nil, err
		}
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
	zipped := code.ZipFile != nil || code.S3Bucket != nil || code.S3Key != nil
	if kind == types.PackageTypeImage {
		if uri == "" || zipped {
			return parcel{}, invalid("Please provide ImageUri when creating a function with packageType Image.")
		}
		return s.resolve(ctx, c, uri, arch)
	}
	switch {
	case uri != "":
		return parcel{}, invalid("Please don't provide ImageUri when creating a function with packageType Zip.")
	case code.S3Bucket != nil:
		o, err := s.stored(c, code.S3Bucket, code.S3Key, code.S3ObjectVersion)
		return parcel{object: o}, err
	case !zipped:
		return parcel{}, invalid("Please provide a source for function code.")
	}
	o, err := s.archive(code.ZipFile)
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
