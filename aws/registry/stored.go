package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Stored is an image as ECR keeps it.
type Stored struct {
	Digest string
	Tags   []string
	Pushed time.Time
	Size   int64 // bytes, as it travels
}

// Image describes one image of a repository; found is false when the repository
// or the image is not there.
func (c *Client) Image(ctx context.Context, repo, digest string) (image Stored, found bool, err error) {
	out, err := c.api.describeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repo, ImageIds: []types.ImageIdentifier{{ImageDigest: &digest}}})
	var noImage *types.ImageNotFoundException
	var noRepository *types.RepositoryNotFoundException
	switch {
	case errors.As(err, &noImage), errors.As(err, &noRepository):
		return Stored{}, false, nil
	case err != nil:
		return Stored{}, false, fmt.Errorf("look for image %s of repository %s: %w", digest, repo, err)
	case len(out.ImageDetails) == 0:
		return Stored{}, false, nil
	}
	return stored(out.ImageDetails[0]), true, nil
}

// Images lists the images of a repository, all pages, in no order.
func (c *Client) Images(ctx context.Context, repo string) ([]Stored, error) {
	var all []Stored
	pages := ecr.NewDescribeImagesPaginator(c.api.describeImages, &ecr.DescribeImagesInput{RepositoryName: &repo, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the images of repository %s: %w", repo, err)
		}
		for _, d := range page.ImageDetails {
			all = append(all, stored(d))
		}
	}
	return all, nil
}

func stored(d types.ImageDetail) Stored {
	return Stored{Digest: aws.ToString(d.ImageDigest), Tags: d.ImageTags, Pushed: aws.ToTime(d.ImagePushedAt), Size: aws.ToInt64(d.ImageSizeInBytes)}
}
