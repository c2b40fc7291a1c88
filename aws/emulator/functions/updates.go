package functions

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/wire"
)

func (s *Store) updateFunctionCode(ctx context.Context, c wire.Call, in *lambda.UpdateFunctionCodeInput) (*types.FunctionConfiguration, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = n.unqualified()
	}
	if err == nil && len(in.Architectures) > 0 {
		_, err = architecture(in.Architectures)
	}
	if err != nil {
		return nil, err
	}
	// The code is checked without the lock, for the package type as it is now.
	s.mu.Lock()
	f, err := s.find(c, name{Function: n.Function})
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	kind, arch := f.Latest.Config.PackageType, f.Latest.Config.Architectures[0]
	s.mu.Unlock()
	if len(in.Architectures) > 0 {
		arch = in.Architectures[0]
	}
	code, err := s.changedCode(ctx, c, in, kind, arch)
	if err != nil {
		return nil, err
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	f, err = s.find(c, name{Function: n.Function})
	if err != nil {
		return nil, err
	}
	now := s.view(f.Latest)
	if now.PackageType != kind { // deleted and created again meanwhile
		return nil, conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", *now.FunctionArn)
	}
	if err := revision(in.RevisionId, now.RevisionId, "GetFunction/GetAlias"); err != nil {
		return nil, err
	}
	if err := s.steady(f.Latest); err != nil {
		return nil, err
	}
	if code.object != nil {
		if err := s.fits(code.object, f.Latest.Layers); err != nil {
			return nil, err
		}
	}
	next := *f.Latest
	next.Config.Architectures = []types.Architecture{arch}
	code.put(&next)
	if in.DryRun {
		out := s.view(&next)
		return &out, nil
	}
	next.Prior = f.Latest
	next.Config.LastModified = when(c.Now)
	f.Latest = &next
	s.begin(c, f.Latest, false)
	if in.Publish { // the answer is the version's: recorded in test_publish_with_update
		out := s.view(s.publish(c, s.in(c), f, nil))
		return &out, nil
	}
	out := s.view(f.Latest)
	return &out, nil
}

// changedCode checks new code against the package type, which can't be changed
// (recorded in test_lambda_zip_file_to_image and test_lambda_image_crud).
func (s *Store) changedCode(ctx context.Context, c wire.Call, in *lambda.UpdateFunctionCodeInput, kind types.PackageType, arch types.Architecture) (parcel, error) {
	uri := val(in.ImageUri)
	src := origin{in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion, in.S3ObjectStorageMode}
	switch {
	case kind == types.PackageTypeImage && (uri == "" || !src.none()):
		return parcel{}, invalid("Please provide ImageUri when updating a function with packageType Image.")
	case kind == types.PackageTypeImage:
		return s.resolve(ctx, c, uri, arch)
	case uri != "":
		return parcel{}, invalid("Please don't provide ImageUri when updating a function with packageType Zip.")
	case src.none():
		return parcel{}, invalid("Please provide a source for function code.")
	}
	o, err := s.fetch(c, src)
	return parcel{object: o}, err
}

func (s *Store) updateFunctionConfiguration(_ context.Context, c wire.Call, in *lambda.UpdateFunctionConfigurationInput) (*types.FunctionConfiguration, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err == nil {
		err = n.unqualified()
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(c, name{Function: n.Function})
	if err != nil {
		return nil, err
	}
	now := s.view(f.Latest)
	check := *in
	if in.Runtime == now.Runtime {
		check.Runtime = "" // a deprecated runtime may stay
	}
	if err := first(checkSettings(c, &check), checkKind(in, now.PackageType)); err != nil {
		return nil, err
	}
	if err := revision(in.RevisionId, now.RevisionId, "GetFunction/GetAlias"); err != nil {
		return nil, err
	}
	if err := s.steady(f.Latest); err != nil {
		return nil, err
	}
	next := *f.Latest
	if in.Layers != nil {
		layers, hashes, err := s.attach(c, in.Layers)
		if err != nil {
			return nil, err
		}
		var code *objects.Object
		if code = s.opts.Objects.Get(next.Object); code != nil {
			if err := s.fits(code, hashes); err != nil {
				return nil, err
			}
		}
		next.Config.Layers, next.Layers = layers, hashes
	}
	apply(c, &next.Config, in)
	next.Config.LastModified = when(c.Now)
	next.Prior = f.Latest
	f.Latest = &next
	s.begin(c, f.Latest, false)
	out := s.view(f.Latest)
	return &out, nil
}
