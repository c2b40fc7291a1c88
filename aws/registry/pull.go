package registry

import (
	"context"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// ReadOptions are what an image anywhere is read with: what `docker login` left
// for its registry, else ECR's token where ECR says that the repository is one of
// this region's, else nothing. A token is never sent to another registry. ctx
// bounds everything that is done with the options.
func (c *Client) ReadOptions(ctx context.Context, reference string) []remote.Option {
	plain := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	ref, err := name.ParseReference(reference)
	if err != nil || strings.HasPrefix(reference, "oci:") || strings.HasPrefix(reference, "docker:") {
		return plain
	}
	if found, err := authn.DefaultKeychain.Resolve(ref.Context()); err != nil || found != authn.Anonymous {
		return plain
	}
	// Whoever may not ask ECR may still read an image that is for everybody.
	repo, found, err := c.Look(ctx, ref.Context().RepositoryStr())
	if err != nil || !found || repo.URI != ref.Context().Name() {
		return plain
	}
	return c.Options(ctx)
}
