package screen

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/theme"
)

// Screen is one place in the program. Its methods are called from the root's
// Update and View only, never concurrently, and never block.
type Screen interface {
	// Crumb is the screen's part of the breadcrumbs.
	Crumb() string
	// Actions are what can be done here and now.
	Actions() []keys.Action
	// Do performs one of Actions.
	Do(id string) Effect
	// Update takes a message that is no key: a job's end, a Tick.
	Update(msg tea.Msg) Effect
	// View draws at most h lines of at most w columns.
	View(st *theme.Styles, w, h int) []string
	// Close is called when the screen is left for good.
	Close()
}

// Filterable is a screen with something to search through.
type Filterable interface {
	// SetFilter is called at each change of the text; the error says what is
	// wrong with it, and leaves the last good filter in force.
	SetFilter(text string) error
	// Filter is the text in force.
	Filter() string
}

// Counter is a screen with numbers to show beside the breadcrumbs.
type Counter interface{ Count() string }

// Unwinder is a screen that has something to take back before it is left.
type Unwinder interface {
	// Unwinds says in a word or two what Unwind would do next, "" for nothing.
	Unwinds() string
	Unwind() Effect
}

// Clickable is a screen that knows what lies under the mouse.
type Clickable interface {
	// Click takes a click with the main button at column x of line y, counted
	// from 0 in what View drew last. It reports whether anything was there.
	Click(x, y int) (Effect, bool)
}

// Level is how a note is meant.
type Level uint8

// The levels.
const (
	Info Level = iota
	Good
	Warn
	Bad
)

// Place is somewhere to go: a screen's name and what it is to show.
type Place struct {
	Name string
	Args []string
	// At is the path to select there, absolute; "" for none.
	At string
}

// Bulk is the name of the place where several functions are switched as one. Its Args are their ARNs, in the order of the list they were marked
// in; without any, it is the bulk migration that is under way.
const Bulk = "bulk"

// Effect is what a screen wants done. The zero value wants nothing.
type Effect struct {
	Cmd   tea.Cmd
	Note  string // for the status line, and for the session's log when Warn or worse
	Level Level
	Log   string // for the session's log alone, where the screen shows it itself
	Copy  string // for the clipboard
	Open  Place
	Show  Screen // a screen made by its parent
	Back  bool
	Ask   *Question
	Arm   func() Effect // arm the session if it is not armed, then go on
	// Reread are functions, by ARN or name, that have been changed and must be read again.
	Reread []string
	Quit   bool
}

// Question is a dialog and what follows from its answer. A dialog that was
// dismissed has the answer "".
type Question struct {
	*dialog.Dialog
	Then func(answer string) Effect
	// Typed, which may be nil, is told each other text that is typed.
	Typed func(text string) tea.Cmd
}

// Say is a note.
func Say(level Level, text string) Effect { return Effect{Note: text, Level: level} }

// Tick tells the screens to look at their jobs. It comes only while one runs.
type Tick struct{ Now time.Time }

// AskStop asks whether to stop what runs: standing says how far it is, meaning what
// stopping does. cancel reports whether anything still ran.
func AskStop(standing, meaning string, cancel func() bool) Effect {
	return Effect{Ask: &Question{
		Dialog: &dialog.Dialog{
			Title: "Stop?", Tone: theme.Warn,
			Body: []string{standing, meaning},
			Choices: []dialog.Choice{
				{Keys: []string{"enter"}, Label: "let it run"},
				{Keys: []string{"esc", "ctrl+c"}, Label: "stop at the next safe place", Answer: "stop"},
			},
		},
		Then: func(answer string) Effect {
			if answer == "" || !cancel() {
				return Effect{}
			}
			return Say(Warn, "stopping at the next safe place")
		},
	}}
}
