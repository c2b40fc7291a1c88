package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/adrg/xdg"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/archive"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/layer"
	"github.com/optlift/optlift/build/scratch"
	"github.com/optlift/optlift/ui"
)

// storeBytes caps the cache of converted image layers. A Lambda account with
// many large layers fits some forty of the largest.
const storeBytes = 10 << 30

// demoFunctions is the size of the account that --demo makes.
const demoFunctions = 64

// app holds the global flags and makes the rooms' values on first use, so that a
// command pays only for what it asks.
type app struct {
	io           *streams
	profiles     []string
	regions      []string
	demo         bool
	write        bool
	baseRegistry string
	configFile   string // "" is where config.Path looks
	caBundle     string

	interrupts *interrupts

	// ask asks on the screens, nil while they are not open.
	ask atomic.Pointer[ui.Ask]

	mu      sync.Mutex
	session *session.Session
	account *emulator.Server
	scratch *scratch.Dir // temporary directory, removed by close
	places  []*place     // of several profiles; see openAll
}

func newApp(io *streams) *app { return &app{io: io, interrupts: &interrupts{io: io}} }

// version is what the build recorded of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// open returns the session, starting the embedded account first where --demo
// asks for it.
func (a *app) open(ctx context.Context) (*session.Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session != nil {
		return a.session, nil
	}
	if a.demo && a.account == nil {
		if err := a.startDemo(ctx); err != nil {
			return nil, err
		}
	}
	profile := ""
	switch len(a.profiles) {
	case 0:
	case 1:
		profile = a.profiles[0]
	default:
		return nil, usagef("give one --profile: only audit, find and the terminal UI look at several accounts at once")
	}
	opts, err := a.sessionOptions(profile)
	if err != nil {
		return nil, err
	}
	s, err := session.Open(ctx, opts)
	if err != nil {
		return nil, err
	}
	a.session = s
	return s, nil
}

// openAhead opens the session while something else is done; wait returns when that
// has ended. There may be one under way.
func (a *app) openAhead(ctx context.Context) (wait func() error) {
	opened := make(chan error, 1)
	go func() {
		_, err := a.open(ctx)
		opened <- err
	}()
	return func() error { return <-opened }
}

// offline reports that nothing has asked for the account so far, as work on
// local zips never does.
func (a *app) offline() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session == nil
}

// startDemo serves an account on loopback and points the SDK's own environment
// variables at it; nothing else in the program knows the difference.
func (a *app) startDemo(ctx context.Context) error {
	if len(a.profiles) > 0 {
		return usagef("--demo brings its own account: leave out --profile")
	}
	// An interrupted migration still has a step to finish: the account outlives ctx.
	server, err := emulator.Start(context.WithoutCancel(ctx), emulator.Options{Functions: demoFunctions})
	if err != nil {
		return fmt.Errorf("start the embedded account: %w", err)
	}
	a.account = server
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		// A service with an endpoint of its own would still be the real one.
		if name != "AWS_PROFILE" && name != "AWS_SESSION_TOKEN" && !strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	for _, line := range server.Environ() {
		name, value, _ := strings.Cut(line, "=")
		if err := os.Setenv(name, value); err != nil {
			return err
		}
		if name == "OPTLIFT_BASE_REGISTRY" {
			a.baseRegistry = value
		}
	}
	return nil
}

// temp returns a directory that lives as long as the command.
func (a *app) temp() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.scratch == nil {
		var err error
		if a.scratch, err = scratch.Make("optlift-"); err != nil {
			return "", err
		}
	}
	return a.scratch.Path(), nil
}

// state is where journals and backups are kept. The demo's are temporary, as
// its account is.
func (a *app) state() (string, error) {
	if a.demo {
		dir, err := a.temp()
		return filepath.Join(dir, "state"), err
	}
	return filepath.Join(xdg.StateHome, "optlift"), nil
}

func (a *app) cache(name string) string { return filepath.Join(xdg.CacheHome, "optlift", name) }

func (a *app) store() (*layer.Store, error) { return layer.OpenStore(a.cache("layers"), storeBytes) }

func (a *app) opener() (*target.Opener, error) {
	dir, err := a.temp()
	if err != nil {
		return nil, err
	}
	return &target.Opener{Session: a.open, Scratch: dir, Cache: archive.OpenCache(a.cache("directories"))}, nil
}

// auditorOf returns a session's auditor. The demo's account lives no longer than
// the command, so there are no earlier answers to it.
func (a *app) auditorOf(s *session.Session, fresh account.Freshness) *account.Auditor {
	auditor := account.NewAuditor(s, a.cache("directories"))
	if !a.demo {
		fresh.Answers = a.cache("answers")
		auditor.Freshness = fresh
	}
	return auditor
}

// switcher returns the switcher of one region.
func (a *app) switcher(ctx context.Context, region string) (*switchover.Switcher, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	state, err := a.state()
	if err != nil {
		return nil, err
	}
	return switchover.New(switchover.Config{
		Session: s, Region: region, Store: store,
		BaseRegistry: a.baseRegistry, BaseCache: a.cache("bases"), StateDir: state,
	}), nil
}

// close frees what the command used.
func (a *app) close() error {
	var errs []error
	if a.account != nil {
		errs = append(errs, a.account.Close())
	}
	if a.scratch != nil {
		errs = append(errs, a.scratch.Remove())
	}
	return errors.Join(errs...)
}
