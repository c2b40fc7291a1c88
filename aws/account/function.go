package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
)

// wrapperVariable names the script that starts the runtime
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html).
const wrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER"

// FromConfiguration reads what Lambda tells of a function. Environment values
// are left behind.
func FromConfiguration(c *types.FunctionConfiguration) Function {
	f := Function{
		ARN:         unqualified(aws.ToString(c.FunctionArn)),
		Name:        aws.ToString(c.FunctionName),
		PackageType: string(c.PackageType),
		Runtime:     string(c.Runtime),
		Handler:     aws.ToString(c.Handler),
		// x86_64 is what Lambda itself assumes where a function names none
		// (https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html).
		Architecture: string(types.ArchitectureX8664),
		CodeSize:     c.CodeSize,
		CodeSHA256:   aws.ToString(c.CodeSha256),
		Role:         aws.ToString(c.Role),
		Description:  aws.ToString(c.Description),
		MemoryMB:     int(aws.ToInt32(c.MemorySize)),
		TimeoutSec:   int(aws.ToInt32(c.Timeout)),
	}
	f.Region = RegionOfARN(f.ARN)
	if f.PackageType == "" {
		f.PackageType = string(types.PackageTypeZip)
	}
	if len(c.Architectures) > 0 {
		f.Architecture = string(c.Architectures[0])
	}
	for _, l := range c.Layers {
		f.Layers = append(f.Layers, LayerRef{ARN: aws.ToString(l.Arn), Size: l.CodeSize})
	}
	if e := c.Environment; e != nil {
		f.Wrapper = e.Variables[wrapperVariable]
		f.EnvNames = slices.Sorted(maps.Keys(e.Variables))
		if e.Error != nil {
			f.EnvError = session.Clean(aws.ToString(e.Error.Message) + " (" + aws.ToString(e.Error.ErrorCode) + ")")
		}
	}
	// Lambda writes "2026-01-02T03:04:05.678+0000"; anything else leaves zero.
	f.LastModified, _ = time.Parse("2006-01-02T15:04:05.000-0700", aws.ToString(c.LastModified))
	return f
}

// RegionOfARN returns the region of a full Lambda ARN, "" for anything else.
func RegionOfARN(s string) string {
	parts := strings.Split(s, ":")
	if len(parts) < 7 || parts[0] != "arn" || parts[2] != "lambda" {
		return ""
	}
	return parts[3]
}

// IsLayerVersion reports whether s is the ARN of a layer version.
func IsLayerVersion(s string) bool {
	parts := strings.Split(s, ":")
	return len(parts) == 8 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "layer"
}

// unqualified cuts a version or alias from a function's ARN.
func unqualified(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) > 7 && parts[5] == "function" {
		return strings.Join(parts[:7], ":")
	}
	return arn
}

// Lookup reads one function by name, partial or full ARN, with or without a
// qualifier. A name without a region is looked for in every region of the
// session; more than one function of that name is an error that lists them.
func Lookup(ctx context.Context, s *session.Session, nameOrARN string) (*Function, *lambda.GetFunctionOutput, error) {
	if r := RegionOfARN(nameOrARN); r != "" {
		return lookupIn(ctx, s, r, nameOrARN)
	}
	var found []*Function
	var out *lambda.GetFunctionOutput
	var missing, failed error
	for _, region := range s.Regions {
		f, o, err := lookupIn(ctx, s, region, nameOrARN)
		switch {
		case err == nil:
			found, out = append(found, f), o
		case session.KindOf(err) == session.NotFound:
			missing = err
		case failed == nil:
			failed = err
		}
	}
	switch {
	case len(found) == 1 && failed == nil:
		return found[0], out, nil
	case len(found) > 1:
		arns := make([]string, len(found))
		for i, f := range found {
			arns[i] = f.ARN
		}
		return nil, nil, fmt.Errorf("%q is a function in several regions: give one of %s", nameOrARN, strings.Join(arns, ", "))
	case failed != nil:
		return nil, nil, failed
	}
	return nil, nil, missing
}

func lookupIn(ctx context.Context, s *session.Session, region, nameOrARN string) (*Function, *lambda.GetFunctionOutput, error) {
	out, err := s.Lambda(region).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &nameOrARN})
	if err != nil {
		return nil, nil, fmt.Errorf("read function %s: %w", nameOrARN, err)
	}
	if out.Configuration == nil || aws.ToString(out.Configuration.FunctionArn) == "" {
		return nil, nil, fmt.Errorf("read function %s: the answer holds no configuration", nameOrARN)
	}
	f := FromConfiguration(out.Configuration)
	return &f, out, nil
}

// API is the part of Lambda that locating archives needs.
type API interface {
	GetFunction(context.Context, *lambda.GetFunctionInput, ...func(*lambda.Options)) (*lambda.GetFunctionOutput, error)
	GetLayerVersion(context.Context, *lambda.GetLayerVersionInput, ...func(*lambda.Options)) (*lambda.GetLayerVersionOutput, error)
	GetLayerVersionByArn(context.Context, *lambda.GetLayerVersionByArnInput, ...func(*lambda.Options)) (*lambda.GetLayerVersionByArnOutput, error)
}

// CodeLocator locates a function's zip; function may carry a qualifier. first,
// which may be nil, is an answer at hand that serves the first call.
func CodeLocator(api API, function string, first *lambda.GetFunctionOutput) archive.Locator {
	return func(ctx context.Context) (archive.Location, error) {
		out := first
		first = nil
		if out == nil {
			var err error
			if out, err = api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &function}); err != nil {
				return archive.Location{}, err
			}
		}
		return codeLocation(out)
	}
}

func codeLocation(out *lambda.GetFunctionOutput) (archive.Location, error) {
	c, code := out.Configuration, out.Code
	switch {
	case c == nil || code == nil:
		return archive.Location{}, errors.New("the answer tells nothing of the code")
	case code.Error != nil:
		return archive.Location{}, fmt.Errorf("the code can't be handed out: %s (%s)",
			session.Clean(aws.ToString(code.Error.Message)), session.Clean(aws.ToString(code.Error.ErrorCode)))
	case c.PackageType == types.PackageTypeImage:
		return archive.Location{}, errors.New("it is a container image, not a zip")
	case aws.ToString(code.Location) == "" && code.ResolvedS3Object != nil:
		return archive.Location{}, fmt.Errorf("no download link is given: the code is kept in bucket %s of its owner",
			session.Clean(aws.ToString(code.ResolvedS3Object.S3Bucket)))
	case aws.ToString(code.Location) == "":
		return archive.Location{}, errors.New("no download link is given")
	}
	return archive.Location{URL: *code.Location, SHA256: aws.ToString(c.CodeSha256), Size: c.CodeSize}, nil
}
