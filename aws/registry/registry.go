package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/optlift/optlift/aws/session"
)

// call is one operation of ECR.
type call[In, Out any] func(context.Context, *In, ...func(*ecr.Options)) (*Out, error)

// api is the part of ECR this package calls. It is made of functions because an
// interface that holds the SDK's client would keep all of the client's
// operations in the program.
type api struct {
	describeRepositories call[ecr.DescribeRepositoriesInput, ecr.DescribeRepositoriesOutput]
	createRepository     call[ecr.CreateRepositoryInput, ecr.CreateRepositoryOutput]
	getRepositoryPolicy  call[ecr.GetRepositoryPolicyInput, ecr.GetRepositoryPolicyOutput]
	setRepositoryPolicy  call[ecr.SetRepositoryPolicyInput, ecr.SetRepositoryPolicyOutput]
	getLifecyclePolicy   call[ecr.GetLifecyclePolicyInput, ecr.GetLifecyclePolicyOutput]
	describeImages       describeImages
}

// describeImages is the operation as the SDK's paginator wants it.
type describeImages call[ecr.DescribeImagesInput, ecr.DescribeImagesOutput]

// DescribeImages implements ecr.DescribeImagesAPIClient.
func (f describeImages) DescribeImages(ctx context.Context, in *ecr.DescribeImagesInput, o ...func(*ecr.Options)) (*ecr.DescribeImagesOutput, error) {
	return f(ctx, in, o...)
}

// Client is one region's ECR. It is safe for concurrent use.
type Client struct {
	api       api
	functions string // what the ARNs of the region's functions start with
	armed     func() bool
	transport http.RoundTripper // nil is go-containerregistry's own
	token     *token

	placedMu sync.Mutex
	placed   map[v1.Hash]name.Repository // layers, and a repository that has each
}

// New returns the region's registry. It asks nobody.
func New(s *session.Session, region string) *Client {
	e := session.ECR(s, region)
	c := &Client{armed: s.Armed, api: api{
		e.DescribeRepositories, e.CreateRepository, e.GetRepositoryPolicy, e.SetRepositoryPolicy, e.GetLifecyclePolicy, e.DescribeImages,
	}}
	c.functions = fmt.Sprintf("arn:%s:lambda:%s:%s:function:", s.Partition, region, s.Account)
	c.token = &token{ask: e.GetAuthorizationToken}
	if t, ok := s.HTTP().Transport.(*http.Transport); ok {
		t = t.Clone()
		// A registry hashes a whole layer before it answers, and a larger
		// buffer than the default 4 KiB is worth a quarter of the speed.
		t.ResponseHeaderTimeout = 0
		t.WriteBufferSize = 256 << 10
		c.transport = t
	}
	return c
}

// Repository is an ECR repository as ECR describes it.
type Repository struct {
	Name    string
	URI     string // as ECR answers it; never built by pattern
	Created bool   // by Ensure
	// Granted is set by Ensure when it added Lambda's right to pull.
	Granted bool
	// Lifecycle is the text of a lifecycle policy, which may expire an image that
	// a function needs; "" is none, unless LifecycleError says that it could not
	// be read.
	Lifecycle       string
	LifecycleError  string
	LifecycleDenied bool // the caller may not read it
}

// Look describes a repository without changing anything; found is false when there is none.
func (c *Client) Look(ctx context.Context, name string) (repo Repository, found bool, err error) {
	out, err := c.api.describeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	var missing *types.RepositoryNotFoundException
	switch {
	case errors.As(err, &missing):
		return Repository{}, false, nil
	case err != nil:
		return Repository{}, false, fmt.Errorf("look for repository %s: %w", name, err)
	case len(out.Repositories) != 1 || aws.ToString(out.Repositories[0].RepositoryUri) == "":
		return Repository{}, false, fmt.Errorf("look for repository %s: ECR's answer names no address", name)
	}
	repo = Repository{Name: name, URI: *out.Repositories[0].RepositoryUri}
	policy, err := c.api.getLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &name})
	var none *types.LifecyclePolicyNotFoundException
	switch {
	case err == nil:
		repo.Lifecycle = aws.ToString(policy.LifecyclePolicyText)
	case ctx.Err() != nil:
		return Repository{}, false, err
	case !errors.As(err, &none):
		repo.LifecycleError = session.Explain(err)
		repo.LifecycleDenied = session.KindOf(err) == session.Denied
	}
	return repo, true, nil
}

// Ensure finds or creates the repository and makes sure that Lambda may pull
// from it. A new repository keeps ECR's defaults for tags and scanning; of an
// existing one nothing is changed but what its policy lacks, and every
// statement that is there stays.
func (c *Client) Ensure(ctx context.Context, name string) (Repository, error) {
	repo, err := c.FindOrCreate(ctx, name)
	if err != nil {
		return Repository{}, err
	}
	if repo.Granted, err = c.grant(ctx, name); err != nil {
		return Repository{}, err
	}
	return repo, nil
}

// FindOrCreate finds or creates the repository and leaves its policy alone: for
// images that people copy from and Lambda never pulls.
func (c *Client) FindOrCreate(ctx context.Context, name string) (Repository, error) {
	repo, found, err := c.Look(ctx, name)
	if err != nil || found {
		return repo, err
	}
	return c.create(ctx, name)
}

func (c *Client) create(ctx context.Context, name string) (Repository, error) {
	out, err := c.api.createRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &name})
	var exists *types.RepositoryAlreadyExistsException
	switch {
	case errors.As(err, &exists):
		// Somebody else was first.
		repo, found, err := c.Look(ctx, name)
		if err == nil && !found {
			err = fmt.Errorf("create repository %s: ECR says both that it exists and that it does not", name)
		}
		return repo, err
	case err != nil:
		return Repository{}, fmt.Errorf("create repository %s: %w", name, err)
	case out.Repository == nil || aws.ToString(out.Repository.RepositoryUri) == "":
		return Repository{}, fmt.Errorf("create repository %s: ECR's answer names no address", name)
	}
	return Repository{Name: name, URI: *out.Repository.RepositoryUri, Created: true}, nil
}

// grant adds Lambda's right to pull where the policy lacks it.
func (c *Client) grant(ctx context.Context, name string) (changed bool, err error) {
	out, err := c.api.getRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: &name})
	var none *types.RepositoryPolicyNotFoundException
	text := ""
	switch {
	case err == nil:
		text = aws.ToString(out.PolicyText)
	case !errors.As(err, &none):
		return false, fmt.Errorf("read the policy of repository %s: %w", name, err)
	}
	merged, changed, err := withPull(text, c.functions)
	if err != nil {
		return false, fmt.Errorf("read the policy of repository %s: %w", name, err)
	}
	if !changed {
		return false, nil
	}
	if _, err := c.api.setRepositoryPolicy(ctx, &ecr.SetRepositoryPolicyInput{RepositoryName: &name, PolicyText: &merged}); err != nil {
		return false, fmt.Errorf("let Lambda pull from repository %s: %w", name, err)
	}
	return true, nil
}
