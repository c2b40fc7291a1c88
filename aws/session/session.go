package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Options choose the account.
type Options struct {
	Profile string   // "" follows AWS_PROFILE and the default profile
	Regions []string // none follows AWS_REGION and the profile; "all" asks the account
	Write   bool     // opens the session armed
	// Unlimited drops the limiter that keeps to AWS's published request rates,
	// for endpoints that have none.
	Unlimited bool
}

// Session is one account in one or more regions. It is safe for concurrent use.
type Session struct {
	Account   string // 12 digits
	CallerARN string
	Partition string // "aws"
	Regions   []string
	Profile   string
}

// Open loads configuration and credentials and asks STS who the caller is. Its
// errors say what is missing and what to type next (see Explain).
func Open(ctx context.Context, opts Options) (*Session, error) { panic("not written yet") }

// Lambda returns the region's guarded client.
func (s *Session) Lambda(region string) *lambda.Client { panic("not written yet") }

// ECR returns the region's guarded client.
func (s *Session) ECR(region string) *ecr.Client { panic("not written yet") }

// HTTP returns a client for what is not an SDK call, archives and registries,
// with the same proxy and certificate settings (AWS_CA_BUNDLE) and no credentials.
func (s *Session) HTTP() *http.Client { panic("not written yet") }

// ErrReadOnly is what a guarded client answers to any call that is not a read
// while the session is not armed. The call never leaves the program.
var ErrReadOnly = errors.New("session is read-only")

// Arm allows writes when accountID is the session's account.
func (s *Session) Arm(accountID string) error { panic("not written yet") }

// Disarm refuses writes again.
func (s *Session) Disarm() { panic("not written yet") }

// Armed reports whether writes are allowed.
func (s *Session) Armed() bool { panic("not written yet") }

// Kind classifies an AWS error for people and for exit codes.
type Kind int

// The kinds of error that call for different next steps.
const (
	Other Kind = iota
	NoCredentials
	Expired
	Denied
	NotFound
	Throttled
	Unreachable // no such endpoint, no network, wrong region
	ReadOnly
)

// KindOf classifies by the error's type and code, never by its text.
func KindOf(err error) Kind { panic("not written yet") }

// Explain turns an AWS error into one line: what happened, to what, and what to
// do next. It never contains a secret or a presigned URL's query.
func Explain(err error) string { panic("not written yet") }
