package registry

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/optlift/optlift/aws/session"
)

// api is the part of ECR this package calls.
type api interface {
	DescribeRepositories(context.Context, *ecr.DescribeRepositoriesInput, ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error)
	CreateRepository(context.Context, *ecr.CreateRepositoryInput, ...func(*ecr.Options)) (*ecr.CreateRepositoryOutput, error)
	GetRepositoryPolicy(context.Context, *ecr.GetRepositoryPolicyInput, ...func(*ecr.Options)) (*ecr.GetRepositoryPolicyOutput, error)
	SetRepositoryPolicy(context.Context, *ecr.SetRepositoryPolicyInput, ...func(*ecr.Options)) (*ecr.SetRepositoryPolicyOutput, error)
	GetLifecyclePolicy(context.Context, *ecr.GetLifecyclePolicyInput, ...func(*ecr.Options)) (*ecr.GetLifecyclePolicyOutput, error)
	GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput, ...func(*ecr.Options)) (*ecr.GetAuthorizationTokenOutput, error)
}

// Client is one region's ECR. It is safe for concurrent use.
type Client struct {
	api       api
	armed     func() bool
	transport http.RoundTripper // nil is go-containerregistry's own
}

// New returns the region's registry. It asks nobody.
func New(s *session.Session, region string) *Client {
	return &Client{api: s.ECR(region), armed: s.Armed, transport: s.HTTP().Transport}
}

// Repository is an ECR repository as ECR describes it.
type Repository struct {
	Name    string
	URI     string // as ECR answers it; never built by pattern
	Created bool   // by Ensure
	// Lifecycle is the text of a lifecycle policy, which may expire an image that a function needs; "" is none.
	Lifecycle string
}

// Look describes a repository without changing anything; found is false when there is none.
func (c *Client) Look(ctx context.Context, name string) (repo Repository, found bool, err error) {
	panic("not written yet")
}

// Ensure finds or creates the repository and makes sure that Lambda may pull from it.
func (c *Client) Ensure(ctx context.Context, name string) (Repository, error) {
	panic("not written yet")
}

// Options authenticate against ECR's registry, refreshing the 12-hour token.
func (c *Client) Options(ctx context.Context) []remote.Option { panic("not written yet") }

// Push writes img to repo under tag ("" is derived from the image's digest) and
// returns the reference pinned by digest ("URI@sha256:…"). It answers
// session.ErrReadOnly before anything is sent unless the session is armed.
// progress, which may be nil, gets bytes done and total; done never falls.
func (c *Client) Push(ctx context.Context, repo Repository, tag string, img v1.Image, progress func(done, total int64)) (string, error) {
	panic("not written yet")
}
