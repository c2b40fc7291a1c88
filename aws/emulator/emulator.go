package emulator

import (
	"context"
	"time"
)

// Options describe the account.
type Options struct {
	Listen    string // "127.0.0.1:0" when empty
	Account   string // "123456789012" when empty
	Region    string // "eu-central-1" when empty
	Functions int    // size of the seed; 0 is an empty account
	State     string // directory to load from and save to; "" forgets
	Rates     bool   // enforce AWS's published request rates
	// Delay is how long Pending, InProgress, Creating and IN_PROGRESS last;
	// half a second when zero.
	Delay time.Duration
}

// Server is a running account.
type Server struct{}

// Start serves an account until ctx ends or Close is called.
func Start(ctx context.Context, opts Options) (*Server, error) { panic("not written yet") }

// URL is the endpoint, "http://localhost:PORT".
func (s *Server) URL() string { panic("not written yet") }

// Environ is what a client needs, as "KEY=value" lines: AWS_ENDPOINT_URL,
// AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, OPTLIFT_BASE_REGISTRY.
func (s *Server) Environ() []string { panic("not written yet") }

// Close stops serving and saves state where it was asked for.
func (s *Server) Close() error { panic("not written yet") }
