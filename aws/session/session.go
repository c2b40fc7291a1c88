package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// Options choose the account.
type Options struct {
	Profile string   // "" follows AWS_PROFILE and the default profile
	Regions []string // none follows AWS_REGION and the profile; "all" is every region the account has enabled
	Write   bool     // opens the session armed
	// Unlimited drops the limiter that keeps to AWS's published request rates,
	// for endpoints that have none.
	Unlimited bool
	// MFA asks the user for a token code where a profile's role needs one, and
	// again whenever what the code has opened ends; nil makes such a profile an
	// error. It answers ErrMFAOver where the user can't be asked any more.
	MFA func() (string, error)
}

// Session is one account in one or more regions. It is safe for concurrent use.
type Session struct {
	Account   string // 12 digits
	CallerARN string
	Partition string // "aws"
	Regions   []string
	Profile   string
	// RegionsNote says why Regions is a guess, where "all" was asked for and the
	// account could not be asked.
	RegionsNote string

	cfg       aws.Config
	http      *http.Client
	armed     atomic.Bool
	log       *Log
	unlimited bool

	mu      sync.Mutex
	lambdas map[string]*lambda.Client
}

// maxAttempts and maxBackoff bound the retries of one call. With the limiter in
// front, throttles come from other users of the same budget: waiting them out
// is right, so there is no budget for retries as a whole.
const (
	maxAttempts = 8
	maxBackoff  = 10 * time.Second
	// openAttempts is for the first call of a session, where a person waits
	// to hear that the network or the endpoint is wrong.
	openAttempts = 3
)

// Open loads configuration and credentials and asks STS who the caller is. Its
// errors say what is missing and what to type next (see Explain).
func Open(ctx context.Context, opts Options) (*Session, error) {
	regions, err := cleanRegions(opts.Regions)
	if err != nil {
		return nil, err
	}
	load := []func(*config.LoadOptions) error{
		// A BuildableClient, because the SDK adds AWS_CA_BUNDLE's
		// certificates to no other kind.
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = 64
		})),
		// The SDK's own remarks would be written across a screen, unchecked for
		// secrets: what matters of a call is in the Log and in its error.
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = maxAttempts
				o.MaxBackoff = maxBackoff
				o.RateLimiter = ratelimit.None
			})
		}),
	}
	if opts.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(opts.Profile))
	}
	assume := &roles{ask: opts.MFA}
	load = append(load, assume.option())
	profile := profileName(opts.Profile)
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, &credentialsError{profile: profile, err: fmt.Errorf("load the AWS configuration: %w", err)}
	}
	all := len(regions) == 1 && regions[0] == allRegions
	switch {
	case len(regions) == 0 && cfg.Region == "":
		return nil, errNoRegion
	case len(regions) == 0:
		if regions, err = cleanRegions([]string{cfg.Region}); err != nil {
			return nil, err
		}
	case all && cfg.Region == "":
		cfg.Region = anyRegion
	case !all:
		cfg.Region = regions[0]
	}
	if cfg.Credentials == nil {
		cfg.Credentials = aws.AnonymousCredentials{}
	}
	cfg.Credentials = credentials{profile: profile, login: loginProfile(cfg), inner: cfg.Credentials}

	s := &Session{
		Profile: profile, cfg: cfg, unlimited: opts.Unlimited,
		log:     newLog(),
		lambdas: map[string]*lambda.Client{},
	}
	s.http = plainClient(cfg)
	if err := s.identify(ctx); err != nil {
		return nil, err
	}
	if all {
		if regions, err = s.everyRegion(ctx); err != nil {
			return nil, err
		}
	}
	assume.opened.Store(true)
	s.Regions = regions
	s.armed.Store(opts.Write)
	return s, nil
}

// errNoRegion is a configuration that names no region.
var errNoRegion = errors.New("no AWS region: set AWS_REGION, give --region, or add a region to the profile")

// WhoIsIt begins the errors of asking for the caller's identity.
const WhoIsIt = "ask AWS who the caller is"

// identify asks STS who the caller is.
func (s *Session) identify(ctx context.Context) error {
	client := sts.NewFromConfig(s.cfg, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, s.instrument("STS", o.Region, readsSTS, nil))
		o.Retryer = retry.AddWithMaxAttempts(o.Retryer, openAttempts)
	})
	who, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fmt.Errorf(WhoIsIt+": %w", err)
	}
	s.Account, s.CallerARN = aws.ToString(who.Account), aws.ToString(who.Arn)
	parsed, err := arn.Parse(s.CallerARN)
	if err != nil || len(s.Account) != 12 || strings.Trim(s.Account, "0123456789") != "" {
		return fmt.Errorf(WhoIsIt+": the answer names no account (account %q, ARN %q): is the endpoint AWS's?",
			Clean(s.Account), Clean(s.CallerARN))
	}
	s.Partition = parsed.Partition
	return nil
}

// instrument builds the middleware of one service's client in one region: the
// log outermost, then the guard, then, below the retries, the limiter.
func (s *Session) instrument(service, region string, reads map[string]bool, limit *limiter) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		op := stack.ID()
		if err := stack.Initialize.Add(s.guard(service, op, reads), middleware.Before); err != nil {
			return err
		}
		if err := stack.Initialize.Add(s.record(service, op, region), middleware.Before); err != nil {
			return err
		}
		if limit == nil {
			return nil
		}
		return stack.Finalize.Insert(limit.middleware(op), "Retry", middleware.After)
	}
}

// Lambda returns the region's guarded client.
func (s *Session) Lambda(region string) *lambda.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.lambdas[region]
	if c == nil {
		var limit *limiter
		if !s.unlimited {
			limit = newLimiter()
		}
		c = lambda.NewFromConfig(s.cfg, func(o *lambda.Options) {
			o.Region = region
			o.APIOptions = append(o.APIOptions, s.instrument("Lambda", region, readsLambda, limit))
		})
		s.lambdas[region] = c
	}
	return c
}

// HTTP returns a client for what is not an SDK call, archives and registries,
// with the same proxy and certificate settings (AWS_CA_BUNDLE) and no credentials.
func (s *Session) HTTP() *http.Client { return s.http }

// Log holds the session's last calls.
func (s *Session) Log() *Log { return s.log }

// plainClient takes the transport that the SDK has set up.
func plainClient(cfg aws.Config) *http.Client {
	built, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		built = awshttp.NewBuildableClient()
	}
	t := built.GetTransport()
	t.MaxIdleConnsPerHost = 64
	// S3 answers within seconds; a silent server must not hold an audit.
	t.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: t}
}

// Arm allows writes when accountID is the session's account.
func (s *Session) Arm(accountID string) error {
	if accountID != s.Account {
		return fmt.Errorf("arm the session: %q is not the account of this session", Clean(accountID))
	}
	s.armed.Store(true)
	return nil
}

// Disarm refuses writes again.
func (s *Session) Disarm() { s.armed.Store(false) }

// Armed reports whether writes are allowed.
func (s *Session) Armed() bool { return s.armed.Load() }
