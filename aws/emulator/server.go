package emulator

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/optlift/optlift/aws/emulator/ecr"
	"github.com/optlift/optlift/aws/emulator/events"
	"github.com/optlift/optlift/aws/emulator/functions"
	"github.com/optlift/optlift/aws/emulator/imagerules"
	"github.com/optlift/optlift/aws/emulator/invoke"
	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/s3"
	"github.com/optlift/optlift/aws/emulator/seed"
	"github.com/optlift/optlift/aws/emulator/wire"
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
	// Lag is how long reads go on missing a function that was just created, and
	// finding one that was just deleted; 0 is not at all.
	Lag time.Duration
	// Now is the clock; nil is time.Now. See also Server.Advance.
	Now func() time.Time
	// Log gets what the account has to say about itself; nil discards it.
	Log *slog.Logger
}

// Server is a running account. It is safe for concurrent use.
type Server struct {
	opts    Options
	host    string // "localhost:PORT"
	number  string // the same as "IP:PORT"
	log     *slog.Logger
	ahead   atomic.Int64 // how far tests have moved the clock, in nanoseconds
	objects *objects.Store
	lambda  *functions.Store
	ecr     *ecr.Service
	buckets *s3.Store
	invoker *invoke.Invoker
	rest    *rest
	faults  faults
	rates   rates
	stacks  stacks
	http    *http.Server
	busy    atomic.Int64 // requests under way
	served  chan error
	stop    context.CancelFunc // ends requests that stall
	closed  sync.Once
	closing error
}

// Start serves an account until ctx ends or Close is called.
func Start(ctx context.Context, opts Options) (*Server, error) {
	for _, d := range []struct {
		v *string
		d string
	}{{&opts.Listen, "127.0.0.1:0"}, {&opts.Account, "123456789012"}, {&opts.Region, "eu-central-1"}} {
		if *d.v == "" {
			*d.v = d.d
		}
	}
	if !matchAccount.MatchString(opts.Account) || !matchRegion.MatchString(opts.Region) {
		return nil, fmt.Errorf("start embedded account: account %q must be 12 digits and region %q like eu-central-1", opts.Account, opts.Region)
	}
	if opts.Delay == 0 {
		opts.Delay = 500 * time.Millisecond
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	s := &Server{opts: opts, log: opts.Log, served: make(chan error, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return nil, fmt.Errorf("start embedded account: listen on %s: %w", opts.Listen, err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		_ = listener.Close()
		return nil, fmt.Errorf("start embedded account: %s is not a TCP address", opts.Listen)
	}
	// By name: registry clients refuse tokens and uploads on a bare loopback address.
	s.host, s.number = "localhost:"+strconv.Itoa(tcp.Port), tcp.AddrPort().String()
	if tcp.IP.IsUnspecified() {
		s.number = "127.0.0.1:" + strconv.Itoa(tcp.Port)
	}
	if err := s.open(ctx); err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start embedded account: %w", err)
	}
	s.serve(ctx, listener)
	return s, nil
}

// open makes the parts and their content.
func (s *Server) open(ctx context.Context) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	s.objects = objects.New(func() string { return s.host }, key)
	var err error
	s.ecr, err = ecr.New(ecr.Options{Account: s.opts.Account, Region: s.opts.Region, Host: func() string { return s.host }, Now: s.Now})
	if err != nil {
		return fmt.Errorf("open registry: %w", err)
	}
	rules := imagerules.New(s.ecr)
	s.invoker, s.buckets = invoke.New(rules), s3.New()
	s.lambda = functions.New(functions.Options{
		Objects: s.objects, Images: rules, Invoker: s.invoker, Buckets: s.buckets, Host: func() string { return s.host }, Now: s.Now, Delay: s.opts.Delay, Lag: s.opts.Lag,
	})
	known := s.lambda.Operations()
	for _, schema := range functions.Absent() {
		known = append(known, wire.Operation{Schema: schema})
	}
	s.rest = newREST(known)
	loaded, err := s.load()
	if err == nil && !loaded && s.opts.Functions > 0 {
		err = s.seed(ctx)
	}
	if err != nil {
		_ = s.ecr.Close()
	}
	s.stacks.fill(s.lambda.Stacked())
	return err
}

func (s *Server) serve(ctx context.Context, l net.Listener) {
	var base context.Context
	base, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	go func() { s.served <- s.http.Serve(l) }()
	context.AfterFunc(ctx, func() { _ = s.Close() })
}

// URL is the endpoint, "http://localhost:PORT".
func (s *Server) URL() string { return "http://" + s.host }

// Environ is what a client needs, as "KEY=value" lines: AWS_ENDPOINT_URL,
// AWS_REGION (AWS_DEFAULT_REGION for older clients), AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, OPTLIFT_BASE_REGISTRY.
// S3 has an endpoint by number: clients put a bucket's name in front of a host
// name, and not every machine resolves bucket.localhost.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL(),
		"AWS_ENDPOINT_URL_S3=http://" + s.number,
		"AWS_REGION=" + s.opts.Region,
		"AWS_DEFAULT_REGION=" + s.opts.Region,
		"AWS_ACCESS_KEY_ID=AKIAEMULATOR00000000",
		"AWS_SECRET_ACCESS_KEY=emulator",
		"OPTLIFT_BASE_REGISTRY=" + s.host + "/lambda",
	}
}

// Now is the account's clock.
func (s *Server) Now() time.Time { return s.opts.Now().Add(time.Duration(s.ahead.Load())) }

// Advance moves the account's clock forward: states settle, URLs and tokens
// expire, asynchronous events are tried again.
func (s *Server) Advance(d time.Duration) {
	s.ahead.Add(int64(d))
	s.lambda.Wake()
}

// Events waits until no asynchronous invocation is due or under way, and returns
// what has become of them: those that have ended, in that order and the latest
// 500 at least, then those that wait to be tried again.
func (s *Server) Events(ctx context.Context) ([]events.Event, error) { return s.lambda.Events(ctx) }

// Close stops serving and saves state where it was asked for. Later calls
// return what the first one did.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.stop()
		// No new connections; a moment for answers on their way; then the rest is
		// cut. Shutdown alone would wait for connections that never asked anything.
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.http.Shutdown(over) // says that it did not wait
		s.drain(2 * time.Second)
		_ = s.http.Close() // says what Shutdown said
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			s.closing = fmt.Errorf("serve embedded account: %w", err)
		}
		s.lambda.Close()
		s.closing = errors.Join(s.closing, s.save(), s.invoker.Close(), s.ecr.Close())
	})
	return s.closing
}

// drain waits for the requests under way, but not longer than patience.
func (s *Server) drain(patience time.Duration) {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(patience); s.busy.Load() > 0 && time.Now().Before(end); {
		<-look.C
	}
}

// save writes the account to the state directory.
func (s *Server) save() error {
	if s.opts.State == "" {
		return nil
	}
	if err := os.MkdirAll(s.opts.State, 0o700); err != nil {
		return fmt.Errorf("save account: %w", err)
	}
	if err := errors.Join(s.ecr.Save(s.opts.State), s.buckets.Save(s.opts.State)); err != nil {
		return fmt.Errorf("save account: %w", err)
	}
	// Lambda last: its file is the one that says the state is whole.
	return s.lambda.Save(s.opts.State)
}

// load reads the state directory; it reports false when there is nothing in it.
func (s *Server) load() (bool, error) {
	if s.opts.State == "" {
		return false, nil
	}
	loaded, err := s.lambda.Load(s.opts.State)
	if err != nil || !loaded {
		return false, err
	}
	if err := errors.Join(s.ecr.Load(s.opts.State), s.buckets.Load(s.opts.State)); err != nil {
		return false, fmt.Errorf("load account: %w", err)
	}
	return true, nil
}

// seed fills the account.
func (s *Server) seed(ctx context.Context) error {
	account := seed.Account{Do: s.Do, ECR: s.ecr, Account: s.opts.Account, Region: s.opts.Region, Now: s.Now()}
	return seed.Plant(ctx, account, s.opts.Functions)
}
