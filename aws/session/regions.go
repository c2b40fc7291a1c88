package session

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
)

// allRegions asks for every region of the account's partition.
const allRegions = "all"

// anyRegion serves the question who the caller is where nothing names a region.
const anyRegion = "us-east-1"

// enabledRegions asks the account for the regions that it has enabled, sorted.
func (s *Session) enabledRegions(ctx context.Context) ([]string, error) {
	client := account.NewFromConfig(s.cfg, func(o *account.Options) {
		o.APIOptions = append(o.APIOptions, s.instrument("Account", o.Region, readsAccount, nil))
		o.Retryer = retry.AddWithMaxAttempts(o.Retryer, openAttempts)
	})
	pages := account.NewListRegionsPaginator(listRegions(client.ListRegions), &account.ListRegionsInput{
		RegionOptStatusContains: []types.RegionOptStatus{types.RegionOptStatusEnabled, types.RegionOptStatusEnabledByDefault},
	}, func(o *account.ListRegionsPaginatorOptions) { o.StopOnDuplicateToken = true })
	var regions []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Regions {
			if name := aws.ToString(r.RegionName); regionPattern.MatchString(name) {
				regions = append(regions, name)
			}
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions), nil
}

// listRegions is the operation as the SDK's paginator wants it: handed the client
// itself, it would keep all of the client's operations in the program.
type listRegions func(context.Context, *account.ListRegionsInput, ...func(*account.Options)) (*account.ListRegionsOutput, error)

// ListRegions implements account.ListRegionsAPIClient.
func (f listRegions) ListRegions(ctx context.Context, in *account.ListRegionsInput, o ...func(*account.Options)) (*account.ListRegionsOutput, error) {
	return f(ctx, in, o...)
}

// everyRegion is what "all" stands for: the regions the account has enabled, or
// every region of the partition where the account may not be asked.
func (s *Session) everyRegion(ctx context.Context) ([]string, error) {
	regions, err := s.enabledRegions(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil && len(regions) > 0:
		return regions, nil
	}
	if regions = partitionRegions[s.Partition]; len(regions) == 0 {
		return nil, fmt.Errorf("no list of regions for partition %q: name them with --region a,b", Clean(s.Partition))
	}
	s.RegionsNote = "every region of the partition is asked, also those that the account may not have enabled"
	if err != nil {
		s.RegionsNote += ": " + Explain(err)
	}
	return regions, nil
}

// partitionRegions are the regions that have Lambda, by partition, as the
// endpoint data of aws-sdk-go-v2/service/lambda v1.114.2 lists them. A region
// that the account has not enabled answers an error of its own, which an audit
// shows beside the rest.
var partitionRegions = map[string][]string{
	"aws": {
		"af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
		"ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
		"ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1",
		"eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
		"il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2",
		"us-west-1", "us-west-2",
	},
	"aws-cn":     {"cn-north-1", "cn-northwest-1"},
	"aws-eusc":   {"eusc-de-east-1"},
	"aws-iso":    {"us-iso-east-1", "us-iso-west-1"},
	"aws-iso-b":  {"us-isob-east-1", "us-isob-west-1"},
	"aws-iso-e":  {"eu-isoe-west-1"},
	"aws-iso-f":  {"us-isof-east-1", "us-isof-south-1"},
	"aws-us-gov": {"us-gov-east-1", "us-gov-west-1"},
}

// regionPattern is the shape of a region's name. It goes into host names, so
// nothing else may pass.
var regionPattern = regexp.MustCompile(`^[a-z]{2,8}(-[a-z]+)+-[0-9]{1,2}$`)

// cleanRegions trims, checks and removes duplicates, keeping the order.
func cleanRegions(in []string) ([]string, error) {
	var out []string
	for _, r := range in {
		r = strings.TrimSpace(r)
		switch {
		case r == "" || slices.Contains(out, r):
			continue
		case r != allRegions && !regionPattern.MatchString(r):
			return nil, fmt.Errorf("%q is not the name of an AWS region, such as eu-central-1", Clean(r))
		}
		out = append(out, r)
	}
	if len(out) > 1 && slices.Contains(out, allRegions) {
		return nil, fmt.Errorf("--region takes either all or a list of regions, not both")
	}
	return out, nil
}

// profileName is the profile that the SDK will read, for messages.
func profileName(flag string) string {
	for _, name := range []string{flag, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE")} {
		if name != "" {
			return name
		}
	}
	return "default"
}
