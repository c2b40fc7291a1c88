package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/optlift/optlift/aws/session"
)

// uploads is how many layers are sent at once.
const uploads = 4

// Options authenticate against ECR's registry, refreshing the 12-hour token.
// ctx bounds everything that is done with them, also reads that a lazy image
// makes later.
func (c *Client) Options(ctx context.Context) []remote.Option {
	opts := []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(c.token), remote.WithJobs(uploads), remote.WithUserAgent("optlift"),
	}
	if c.transport != nil {
		opts = append(opts, remote.WithTransport(c.transport))
	}
	return opts
}

// TagFor is the tag that Push gives an image where the caller names none. The
// same image always has the same one, so that it suits immutable tags.
func TagFor(digest v1.Hash) string { return "optlift-" + digest.Hex[:min(12, len(digest.Hex))] }

// Push writes img to repo under tag ("" is TagFor) and returns the reference
// pinned by digest ("URI@sha256:…"). It answers session.ErrReadOnly before
// anything is sent unless the session is armed. progress, which may be nil,
// gets bytes done and total, from one goroutine at a time; done never falls.
func (c *Client) Push(ctx context.Context, repo Repository, tag string, img v1.Image, progress func(done, total int64)) (string, error) {
	return c.push(ctx, repo, tag, img, func(ref name.Tag, img mountableImage) error {
		updates := make(chan v1.Update, 64)
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			follow(updates, progress)
		}()
		err := remote.Write(ref, img, append(c.Options(ctx), remote.WithProgress(updates))...)
		<-drained // remote.Write closes the channel
		return err
	})
}

// push names the image and lets write send it.
func (c *Client) push(ctx context.Context, repo Repository, tag string, img v1.Image, write func(name.Tag, mountableImage) error) (string, error) {
	if !c.armed() {
		return "", fmt.Errorf("push to %s was not sent: %w", repo.Name, session.ErrReadOnly)
	}
	digest, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", repo.Name, err)
	}
	if tag == "" {
		tag = TagFor(digest)
	}
	ref, err := name.NewTag(repo.URI + ":" + tag)
	if err != nil {
		return "", fmt.Errorf("push to %s: %w", repo.Name, err)
	}
	if err := write(ref, mountableImage{img, c, ref.Context()}); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &pushError{repo: repo.Name, tag: tag, host: ref.RegistryStr(), err: err}
	}
	if layers, err := img.Manifest(); err == nil {
		for _, l := range layers.Layers {
			c.place(l.Digest, ref.Context())
		}
	}
	return repo.URI + "@" + digest.String(), nil
}

// follow reads updates to the end, whatever happens: the sender would wait for
// ever otherwise. A retry takes bytes back, and the last update of a failure
// carries zeros; neither is passed on.
func follow(updates <-chan v1.Update, progress func(done, total int64)) {
	var done, total int64
	for u := range updates {
		if u.Error != nil || progress == nil {
			continue
		}
		if u.Complete > done || u.Total > total {
			done, total = max(done, u.Complete), max(total, u.Total)
			progress(done, total)
		}
	}
}

// pushError is a refused or broken push.
type pushError struct {
	repo, tag, host string
	err             error
}

func (e *pushError) Unwrap() error { return e.err }

// Error says what happened to what, and what to do next. The registry's text is
// cleaned where it is shown (session.Explain).
func (e *pushError) Error() string {
	what := "push to " + e.repo + ": "
	var answer *transport.Error
	if errors.As(e.err, &answer) {
		code, message := transport.UnknownErrorCode, http.StatusText(answer.StatusCode)
		if len(answer.Errors) > 0 {
			code, message = answer.Errors[0].Code, answer.Errors[0].Message
		}
		said := fmt.Sprintf("%s (%s, HTTP %d)", message, code, answer.StatusCode)
		switch {
		case code == transport.TagInvalidErrorCode:
			return what + said + ": tag " + e.tag + " is taken in a repository whose tags can't be moved; give another tag"
		case code == transport.NameUnknownErrorCode:
			return what + said + ": the repository is gone; run the command again to create it"
		case code == transport.DeniedErrorCode, answer.StatusCode == http.StatusForbidden:
			return what + said + ": the caller needs ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, " +
				"ecr:BatchCheckLayerAvailability, ecr:BatchGetImage and ecr:PutImage on it"
		case code == transport.UnauthorizedErrorCode, answer.StatusCode == http.StatusUnauthorized:
			return what + said + ": the registry does not accept the token; renew the credentials and try again"
		}
		return what + said
	}
	var dns *net.DNSError
	var transportErr *url.Error
	switch {
	case errors.As(e.err, &dns):
		return what + "cannot find " + dns.Name + ": check the network"
	case errors.As(e.err, &transportErr):
		return what + "no answer from " + e.host + ": " + transportErr.Err.Error() + ": check the network"
	}
	return what + e.err.Error()
}
