package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/config"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/job"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/prompt"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/sessionlog"
	"github.com/optlift/optlift/ui/theme"
)

// The smallest terminal the screens are drawn in; below it a hint is shown.
const (
	minWidth  = 60
	minHeight = 20
)

// interval is how often the screens look at running jobs.
const interval = 100 * time.Millisecond

// model is the root: it owns the stack of screens and performs what they ask
// for. Only its Update changes state.
type model struct {
	ctx     context.Context
	end     context.CancelFunc // ends ctx
	backend Backend
	where   Where
	account awscli.Account
	version string // of this program
	armed   bool

	w, h  int
	dark  bool
	depth theme.Depth
	// nocolor is the user's wish for none, whatever the terminal has.
	nocolor bool
	theme   string // one of theme.Names
	styles  *theme.Styles
	mouse   bool
	bound   keys.Bound
	names   map[string]string // of actions' keys, made when asked for
	saved   filter.Saved

	// cursor is the terminal's own, nil while nothing is typed; set by frame.
	cursor *tea.Cursor
	// Where the breadcrumbs and the footer can be clicked, as drawn last.
	crumbSpots, footerSpots []spot

	stack   []screen.Screen
	places  []string // what each screen of the stack was opened as
	inv     *inventory.Inventory
	jobs    *job.Group
	signing *job.Job           // the one that signs in, nil while none does
	away    *functions.Away    // what is shown until there is an account, then nil
	refused error              // why there is none, as it came
	codes   *job.Stream[*code] // token codes that work waits for
	unasked []*code            // those that are still to be asked for
	audit   *job.Job
	events  *job.Stream[account.Event]
	current migration // the one that runs or ran last, nil for none

	ask     *screen.Question
	prompt  *prompt.Prompt
	filters []string // typed before, oldest first
	lines   []string // commands typed before

	note  string
	level screen.Level
	log   *sessionlog.Log

	ticking     bool
	tick        func(d time.Duration, fn func(time.Time) tea.Msg) tea.Cmd
	browse      func(ctx context.Context, page string) bool
	leaving     bool // leave as soon as the guarded job has ended
	interrupted bool
}

// newModel returns the root on its first screen, without an account yet. It calls
// the backend's cheap methods, so it is not called from Update.
func newModel(ctx context.Context, b Backend, opts Options) *model {
	if opts.Config.Theme == "" {
		opts.Config = config.Default()
	}
	ctx, end := context.WithCancel(ctx)
	m := &model{
		ctx:     ctx,
		end:     end,
		backend: b,
		version: opts.Version,
		where:   b.Where(),
		armed:   b.Armed(),
		dark:    true,
		inv:     &inventory.Inventory{},
		jobs:    job.NewGroup(ctx),
		events:  &job.Stream[account.Event]{},
		codes:   &job.Stream[*code]{},
		log:     &sessionlog.Log{},
		tick:    tea.Tick,
		browse:  browse,
		theme:   opts.Config.Theme,
		mouse:   opts.Config.Mouse,
		bound:   opts.Config.Keys,
		saved:   opts.Config.Filters,
	}
	if m.nocolor = opts.NoColor; m.nocolor {
		m.depth = theme.Mono
	}
	m.paint()
	if opts.History != "" {
		m.recall(opts.History)
	}
	m.push("functions", functions.New(m.inv, functions.Options{Layout: opts.Config.Layout, Saved: m.saved, Key: m.keyOf}))
	m.leaveWaiting()
	return m
}

// paint puts the theme in force.
func (m *model) paint() { m.styles = theme.Named(m.theme, m.dark, m.depth) }

// keyOf names the key of an action, for texts.
func (m *model) keyOf(action string) string {
	if m.names == nil {
		m.names = keys.Names(m.bound)
	}
	return m.names[action]
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, m.signIn(), m.keepTicking())
}

func (m *model) startAudit() tea.Cmd {
	m.inv.Start()
	b, events := m.backend, m.events
	j, cmd := m.jobs.Start("audit", false, func(ctx context.Context) (any, error) {
		return nil, explained(b, b.Audit(ctx, events.Put))
	})
	m.audit = j
	return cmd
}

func (m *model) push(key string, s screen.Screen) {
	if texts, ok := s.(interface{ Bind(func(string) string) }); ok {
		texts.Bind(m.keyOf)
	}
	m.stack = append(m.stack, s)
	m.places = append(m.places, key)
	m.prompt = nil
}

// pop leaves the screens above the first n.
func (m *model) pop(n int) {
	for len(m.stack) > max(n, 1) {
		last := len(m.stack) - 1
		m.stack[last].Close()
		m.stack[last] = nil
		m.stack, m.places = m.stack[:last], m.places[:last]
	}
	m.prompt = nil
}

func (m *model) top() screen.Screen { return m.stack[len(m.stack)-1] }

func (m *model) first() *functions.Screen { return m.stack[0].(*functions.Screen) }

// say puts a note in the status line, and into the log what went wrong.
func (m *model) say(level screen.Level, text string) {
	m.note, m.level = text, level
	if level >= screen.Warn {
		m.log.Add(text)
	}
}

// explained makes an error that says in one line what happened.
func explained(b Backend, err error) error {
	if err == nil {
		return nil
	}
	return explanation(b.Explain(err))
}

type explanation string

func (e explanation) Error() string { return string(e) }
