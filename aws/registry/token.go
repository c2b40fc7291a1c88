package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
)

// renewBefore is how long before its end a token is replaced. Tokens last 12
// hours (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
const renewBefore = 15 * time.Minute

// token is ECR's password for its registry, asked for when it is needed and
// replaced before it ends. It implements authn.Authenticator.
type token struct {
	ask call[ecr.GetAuthorizationTokenInput, ecr.GetAuthorizationTokenOutput]

	mu      sync.Mutex
	config  authn.AuthConfig
	expires time.Time
}

// Authorization implements authn.Authenticator.
func (t *token) Authorization() (*authn.AuthConfig, error) {
	return t.AuthorizationContext(context.Background())
}

// AuthorizationContext implements authn.ContextAuthenticator.
func (t *token) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Until(t.expires) > renewBefore {
		c := t.config
		return &c, nil
	}
	out, err := t.ask(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, fmt.Errorf("get a token for the registry: %w", err)
	}
	if len(out.AuthorizationData) == 0 {
		return nil, errors.New("get a token for the registry: ECR's answer holds none")
	}
	data := out.AuthorizationData[0]
	plain, err := base64.StdEncoding.DecodeString(aws.ToString(data.AuthorizationToken))
	user, password, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok {
		return nil, errors.New("get a token for the registry: ECR's answer can't be read")
	}
	t.config = authn.AuthConfig{Username: user, Password: password}
	t.expires = aws.ToTime(data.ExpiresAt)
	c := t.config
	return &c, nil
}
