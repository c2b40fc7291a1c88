package session

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ErrMFAOver is what Options.MFA answers where nobody can be asked any more, as
// while a screen is open. The session then needs a new code to go on.
var ErrMFAOver = errors.New("nobody can be asked for an MFA code now")

// mfaDuration is how long a role lasts that was assumed with a code, where the
// profile says nothing else: as long as every role allows
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html). The
// SDK's quarter of an hour would ask again in the middle of a migration.
const mfaDuration = time.Hour

// mfaError is a code that was not given.
type mfaError struct{ error }

func (e mfaError) Unwrap() error { return e.error }

// roles is how the roles of profiles are assumed.
type roles struct {
	ask    func() (string, error) // nil where nobody can be asked
	opened atomic.Bool
}

// option has the SDK's chain assume roles so.
func (r *roles) option() config.LoadOptionsFunc {
	return config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
		if o.SerialNumber != nil && r.ask != nil {
			o.TokenProvider = func() (string, error) {
				code, err := r.ask()
				if err != nil {
					err = mfaError{err}
				}
				return code, err
			}
		}
		if o.SerialNumber != nil && o.Duration == 0 {
			o.Duration = mfaDuration
		}
		if o.Client != nil {
			o.Client = assumer{o.Client, &r.opened}
		}
	})
}

// assumer gives up early while a person waits for the session to open, and is as
// patient as every other call from then on.
type assumer struct {
	stscreds.AssumeRoleAPIClient
	opened *atomic.Bool
}

func (a assumer) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, opts ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	if !a.opened.Load() {
		opts = append(opts, func(o *sts.Options) { o.Retryer = retry.AddWithMaxAttempts(o.Retryer, openAttempts) })
	}
	return a.AssumeRoleAPIClient.AssumeRole(ctx, in, opts...)
}

// loginProfile is the profile that logs in through IAM Identity Center: the
// chosen one, or one that its role is assumed from; "" for none.
func loginProfile(cfg aws.Config) string {
	for _, source := range cfg.ConfigSources {
		shared, ok := source.(config.SharedConfig)
		if !ok {
			continue
		}
		for s := &shared; s != nil; s = s.Source {
			if s.SSOStartURL != "" || s.SSOSessionName != "" {
				return s.Profile
			}
		}
		return ""
	}
	return ""
}
