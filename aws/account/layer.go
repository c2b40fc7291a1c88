package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
)

// layerVersion asks for a layer version by its ARN.
func layerVersion(ctx context.Context, api API, arn string) (*lambda.GetLayerVersionByArnOutput, error) {
	out, err := api.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &arn})
	if err != nil {
		return nil, fmt.Errorf("read layer version %s: %w", arn, err)
	}
	if out.Content != nil && aws.ToString(out.Content.Location) != "" {
		return out, nil
	}
	// Some endpoints answer the newer call with nothing; the older one takes
	// the same ARN, cut in two.
	name, number, _ := cutLast(arn, ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read layer version %s: not the ARN of a layer version", arn)
	}
	old, err := api.GetLayerVersion(ctx, &lambda.GetLayerVersionInput{LayerName: &name, VersionNumber: &version})
	if err != nil {
		return nil, fmt.Errorf("read layer version %s: %w", arn, err)
	}
	if old.Content == nil || aws.ToString(old.Content.Location) == "" {
		return nil, fmt.Errorf("read layer version %s: Lambda gives no download link", arn)
	}
	return &lambda.GetLayerVersionByArnOutput{
		LayerVersionArn: old.LayerVersionArn, Content: old.Content,
		CompatibleRuntimes: old.CompatibleRuntimes, CompatibleArchitectures: old.CompatibleArchitectures,
	}, nil
}

// OwnerOfLayer returns the account that published a layer version, "" where arn is
// not the ARN of one.
func OwnerOfLayer(arn string) string {
	if !IsLayerVersion(arn) {
		return ""
	}
	return strings.Split(arn, ":")[4]
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// LayerLocator locates a layer version's zip. first, which may be nil, is an
// answer at hand that serves the first call.
func LayerLocator(api API, arn string, first *lambda.GetLayerVersionByArnOutput) archive.Locator {
	return func(ctx context.Context) (archive.Location, error) {
		out := first
		first = nil
		if out == nil {
			var err error
			if out, err = layerVersion(ctx, api, arn); err != nil {
				return archive.Location{}, err
			}
		}
		return archive.Location{
			URL: aws.ToString(out.Content.Location), SHA256: aws.ToString(out.Content.CodeSha256), Size: out.Content.CodeSize,
		}, nil
	}
}

// StateOf tells from an error's type why an archive could not be read: OK for nil.
func StateOf(err error) State {
	var status *archive.StatusError
	switch kind := session.KindOf(err); {
	case err == nil:
		return OK
	case kind == session.NotFound:
		return Deleted
	case kind == session.Denied:
		return Denied
	case errors.As(err, &status) && status.Status == 403:
		return Denied
	}
	return Failed
}
