package account

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/session"
)

// ErrNoLayer is in the errors of FindLayer for what can't be a layer at all.
var ErrNoLayer = errors.New("not a layer")

// notLayer is an error that is ErrNoLayer, in its own words.
type notLayer struct{ error }

func (e notLayer) Is(target error) bool { return target == ErrNoLayer }
func (e notLayer) Unwrap() error        { return e.error }

// FoundLayer is a layer version that AWS knows and lets be read.
type FoundLayer struct {
	ARN string // with the version
	// Runtimes and Architectures are what its publisher declares; empty for nothing.
	Runtimes, Architectures []string
	Locate                  archive.Locator
}

// layerName is what Lambda takes for a layer's name
// (https://docs.aws.amazon.com/lambda/latest/api/API_PublishLayerVersion.html).
var layerName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,140}$`)

// FindLayer finds the layer version that ref names: by its ARN, or by the name or
// ARN of its layer, which then is its newest version. NAME and NAME:VERSION are
// layers of the session's own account in region. told, which may be nil, is told
// what is asked for. Nothing is read but answers.
func FindLayer(ctx context.Context, s *session.Session, ref, region string, told func(step string)) (*FoundLayer, error) {
	if told == nil {
		told = func(string) {}
	}
	arn, version, err := layerRef(s, ref, region)
	if err != nil {
		return nil, err
	}
	api := s.Lambda(RegionOfLayer(arn))
	if version == 0 {
		told("listing the versions of " + arn)
		if version, err = newestVersion(ctx, api, arn); err != nil {
			if OwnerOfLayer(arn+":1") != s.Account && session.KindOf(err) == session.Denied {
				err = fmt.Errorf("only its own account can list the versions of %s; name one, as in %s:1: %w", arn, arn, errors.Unwrap(err))
			}
			return nil, err
		}
		if version == 0 {
			// The name of a function is the likely mistake.
			if f, _, err := lookupIn(ctx, s, RegionOfLayer(arn), ref); err == nil {
				return nil, notLayer{fmt.Errorf("%s is a function, not a layer", f.Name)}
			}
			return nil, fmt.Errorf("account %s has no layer %s in %s, or no version of it any more: optlift audit --layers lists those in use", OwnerOfLayer(arn+":1"), arn[strings.LastIndexByte(arn, ':')+1:], RegionOfLayer(arn))
		}
	}
	arn += ":" + strconv.FormatInt(version, 10)
	told("asking for " + arn)
	out, err := layerVersion(ctx, api, arn)
	if err != nil {
		if session.KindOf(err) == session.NotFound {
			err = fmt.Errorf("layer version %s was deleted, or never was: %w", arn, errors.Unwrap(err))
		}
		return nil, err
	}
	l := &FoundLayer{ARN: arn, Locate: LayerLocator(api, arn, out)}
	for _, r := range out.CompatibleRuntimes {
		l.Runtimes = append(l.Runtimes, string(r))
	}
	for _, a := range out.CompatibleArchitectures {
		l.Architectures = append(l.Architectures, string(a))
	}
	return l, nil
}

// RegionOfLayer returns the region of a layer's ARN, with or without a version, ""
// for anything else.
func RegionOfLayer(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "layer" {
		return parts[3]
	}
	return ""
}

// layerRef takes apart what names a layer: its ARN without the version, and the
// version, 0 for none.
func layerRef(s *session.Session, ref, region string) (arn string, version int64, err error) {
	bad := func(why string) (string, int64, error) {
		return "", 0, notLayer{fmt.Errorf("%s %s: a layer is named by its ARN, as in arn:aws:lambda:eu-west-1:123456789012:layer:NAME:3, by its name, or it is a zip", ref, why)}
	}
	var name, number string
	if strings.HasPrefix(ref, "arn:") {
		parts := strings.Split(ref, ":")
		switch {
		case len(parts) > 5 && parts[2] == "lambda" && parts[5] == "function":
			return bad("is a function's ARN")
		case RegionOfLayer(ref) == "" || len(parts) > 8 || !accountID.MatchString(parts[4]):
			return bad("is not the ARN of a layer")
		}
		name = parts[6]
		arn = strings.Join(parts[:7], ":")
		if len(parts) == 8 {
			number = parts[7]
			if number == "" {
				return bad("ends where its version should be")
			}
		}
	} else {
		var versioned bool
		name, number, versioned = strings.Cut(ref, ":")
		if versioned && number == "" {
			return bad("ends where its version should be")
		}
		if region == "" {
			if len(s.Regions) != 1 {
				return "", 0, fmt.Errorf("the session has %d regions, and %s is in one: name the layer by its ARN", len(s.Regions), ref)
			}
			region = s.Regions[0]
		}
		arn = "arn:" + s.Partition + ":lambda:" + region + ":" + s.Account + ":layer:" + name
	}
	if !layerName.MatchString(name) {
		return bad("is not the name of a layer")
	}
	if number == "" {
		return arn, 0, nil
	}
	if version, err = strconv.ParseInt(number, 10, 64); err != nil || version < 1 {
		return bad("has a version that is no number")
	}
	return arn, version, nil
}

// accountID is what an account is known by.
var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// newestVersion lists a layer's versions and returns the highest, 0 for none.
// AWS promises no order.
func newestVersion(ctx context.Context, api lambda.ListLayerVersionsAPIClient, layer string) (int64, error) {
	pages := lambda.NewListLayerVersionsPaginator(api, &lambda.ListLayerVersionsInput{LayerName: &layer}, func(o *lambda.ListLayerVersionsPaginatorOptions) {
		o.StopOnDuplicateToken = true
	})
	newest := int64(0)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, fmt.Errorf("list the versions of layer %s: %w", layer, err)
		}
		for _, v := range page.LayerVersions {
			if aws.ToString(v.LayerVersionArn) != "" {
				newest = max(newest, v.Version)
			}
		}
	}
	return newest, nil
}
