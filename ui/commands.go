package ui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/findings"
	"github.com/optlift/optlift/ui/function"
	"github.com/optlift/optlift/ui/functions"
	"github.com/optlift/optlift/ui/help"
	"github.com/optlift/optlift/ui/journal"
	"github.com/optlift/optlift/ui/keys"
	"github.com/optlift/optlift/ui/layerdiff"
	"github.com/optlift/optlift/ui/layers"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/optview"
	"github.com/optlift/optlift/ui/packages"
	"github.com/optlift/optlift/ui/prompt"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/sessionlog"
)

// commands are what can be typed after ":".
var commands = []help.Command{
	{Line: "functions", Help: "all functions; words after it filter them"},
	{Line: "function", Help: "one function, by name or ARN"},
	{Line: "opt", Help: "/opt of the selected function, or of functions, layer ARNs and local zips named here"},
	{Line: "layers", Help: "the layer versions in use"},
	{Line: "findings", Help: "what was found in all functions, the gravest first"},
	{Line: "migrate", Help: "plan the switch of a function; the running migration without a name"},
	{Line: "journal", Help: "the migrations made from this machine, or one by its id"},
	{Line: "diff", Help: "what sets two layer versions, functions or local zips apart"},
	{Line: "packages", Help: "the packages in the selected function, or in functions, layer versions and local zips named here"},
	{Line: "find", Help: "which layers, and so which functions, hold a path or a package"},
	{Line: "log", Help: "the AWS calls of this session, and what went wrong"},
	{Line: "arm", Help: "allow changes to this account, after its id is typed"},
	{Line: "filter", Help: "show what a saved filter finds; without its name, the list of them"},
	{Line: "columns", Help: "choose the columns of the functions, their order and what sorts"},
	{Line: "theme", Help: "choose the colours; without a name, look at all themes"},
	{Line: "mouse", Help: "let the mouse select, scroll and sort, or leave it to the terminal"},
	{Line: "console", Help: "open what is selected in the AWS console"},
	{Line: "refresh", Help: "list and measure the functions again"},
	{Line: "help", Help: "what can be done on this screen"},
	{Line: "quit", Help: "leave"},
}

// short are the other names of commands.
var short = map[string]string{
	"f": "functions", "fn": "function", "o": "opt", "l": "layers", "m": "migrate", "j": "journal", "q": "quit", "h": "help", "q!": "quit",
}

// changes are the screens' actions that end in changing the account.
var changes = []string{"migrate", "bulk", "resume", "rollback"}

// actions are what can be done on the screen on top.
func (m *model) actions() []keys.Action {
	out := m.top().Actions()
	disable(out, changes, m.where.fixed())
	disable(out, looks, m.where.shut())
	return out
}

// disable says of some actions why they can't be done, "" where they can.
func disable(actions []keys.Action, ids []string, why string) {
	for i := range actions {
		if why != "" && slices.Contains(ids, actions[i].ID) {
			actions[i].Disabled = why
		}
	}
}

// globals are what can be done on every screen.
func (m *model) globals() []keys.Action {
	const group = "Everywhere"
	top := m.top()
	first := len(m.stack) == 1
	_, filterable := top.(screen.Filterable)
	var out []keys.Action
	absent := m.absent()
	out = append(out,
		keys.Action{ID: "layers", Keys: []string{"L"}, Label: "layers", Group: group, Help: "the layer versions in use", Disabled: absent},
		keys.Action{ID: "findings", Keys: []string{"F"}, Label: "findings", Minor: true, Group: group, Help: "what was found in all functions, the gravest first", Disabled: absent},
		keys.Action{ID: "journal", Keys: []string{"J"}, Label: "journal", Group: group, Help: "the migrations made from this machine", Disabled: absent},
	)
	find := keys.Action{ID: "filter", Keys: []string{"/"}, Label: "filter", Group: group, Help: "filter what is on screen"}
	for i := range out {
		if m.places[len(m.places)-1] == out[i].ID {
			out[i].Label = ""
		}
	}
	if !filterable {
		find.Label, find.Disabled = "", "nothing to filter here"
	}
	out = append(out, find,
		keys.Action{ID: "palette", Keys: []string{":"}, Label: "go", Group: group, Help: "go anywhere by name"},
		keys.Action{ID: "console", Keys: []string{"O"}, Group: group, Help: "open what is selected in the AWS console, and copy its address", Disabled: m.unopened()},
		keys.Action{ID: "mouse", Keys: []string{"ctrl+t"}, Group: group, Help: "turn the mouse on or off"},
		keys.Action{ID: "log", Keys: []string{"!"}, Group: group, Help: "the AWS calls of this session, and what went wrong"},
		keys.Action{ID: "help", Keys: []string{"?"}, Label: "help", Group: group, Help: "this list"},
	)
	if first {
		out = append(out,
			keys.Action{ID: "back", Keys: []string{"esc"}, Group: group, Help: "take the filter away"},
			keys.Action{ID: "quit", Keys: []string{"q", "ctrl+c"}, Label: "quit", Group: group, Help: "leave"})
	} else {
		back := keys.Action{ID: "back", Keys: []string{"esc", "q"}, Label: "back", Group: group, Help: "back to the screen before"}
		if u, ok := top.(screen.Unwinder); ok {
			back.Label = cmp.Or(u.Unwinds(), back.Label)
		}
		out = append(out, back,
			keys.Action{ID: "quit", Keys: []string{"ctrl+c"}, Group: group, Help: "leave"})
	}
	return append(out, keys.Action{ID: "suspend", Keys: []string{"ctrl+z"}, Group: group, Help: "put the program to sleep; fg wakes it"})
}

// global performs an action that every screen has, or that is the root's to do.
func (m *model) global(id string) (tea.Cmd, bool) {
	switch id {
	case "layers", "findings", "journal", "log", "help":
		return m.open(screen.Place{Name: id}), true
	case "filter":
		if f, ok := m.top().(screen.Filterable); ok {
			m.prompt = prompt.New("/", f.Filter(), m.filters)
		}
		return nil, true
	case "palette":
		m.prompt = prompt.New(":", "", m.lines)
		m.prompt.Complete = m.complete
		return nil, true
	case "back":
		return m.back(), true
	case "quit":
		return m.leave(), true
	case "suspend":
		return tea.Suspend, true
	case "console":
		return m.openConsole(), true
	case "mouse":
		m.toggleMouse()
		return nil, true
	case functions.Refresh:
		return m.refresh(), true
	}
	return nil, false
}

// refresh reads the account again, or tries to sign in again where there is none.
func (m *model) refresh() tea.Cmd {
	if m.away != nil {
		if m.signing != nil {
			m.say(screen.Info, "not now: "+m.absent())
			return nil
		}
		return m.signIn()
	}
	if m.audit != nil {
		m.say(screen.Info, "the account is being read just now")
		return nil
	}
	cmd := m.startAudit()
	return tea.Batch(cmd, m.broadcast(functions.Changed{}))
}

// open goes to a place.
func (m *model) open(p screen.Place) tea.Cmd {
	if why := m.absent(); why != "" && !slices.Contains(homely, p.Name) {
		m.say(screen.Info, "not now: "+why)
		return nil
	}
	key := strings.Join(append([]string{p.Name}, p.Args...), " ")
	if i := slices.Index(m.places, key); i >= 0 && p.Name != "functions" && p.Name != "help" {
		m.pop(i + 1)
		if o, ok := m.top().(*optview.Screen); ok && p.At != "" {
			return m.perform(o.GoTo(p.At))
		}
		return nil
	}
	if why := m.where.shut(); why != "" && slices.Contains(looks, p.Name) {
		m.say(screen.Info, "not now: "+why)
		return nil
	}
	switch p.Name {
	case "functions":
		m.pop(1)
		if len(p.Args) > 0 {
			if err := m.first().SetFilter(strings.Join(p.Args, " ")); err != nil {
				m.say(screen.Bad, err.Error())
			}
		}
	case "function":
		arn, ok := m.function(p.Args)
		if !ok {
			return nil
		}
		f := function.New(m.inv, arn, m.account, m.jobs, m.backend)
		m.push(key, f)
		return m.perform(f.Start())
	case "opt", "packages":
		targets := p.Args
		if len(targets) == 0 {
			arn, ok := m.function(nil)
			if !ok {
				return nil
			}
			targets = []string{arn}
		}
		targets, titles := m.targets(targets)
		name := strings.Join(titles, " + ")
		title := name
		if f, ok := m.top().(*function.Screen); ok && len(targets) == 1 && f.ARN() == targets[0] {
			title = ""
		}
		if p.Name == "packages" {
			if m.places[len(m.places)-1] == "opt "+strings.Join(p.Args, " ") {
				title = ""
			}
			s := packages.New(title, name, m.version, targets, m.jobs, m.backend)
			m.push(key, s)
			return m.perform(s.Start())
		}
		o := optview.New(title, targets, m.account, m.inv, m.jobs, m.backend)
		m.push(key, o)
		return tea.Batch(m.perform(o.GoTo(p.At)), m.perform(o.Start()))
	case "diff":
		if len(p.Args) != 2 {
			m.say(screen.Bad, "diff needs two layer versions, functions or local zips; in the layers, "+m.keyOf("mark")+" marks two and "+m.keyOf("diff")+" compares them")
			return nil
		}
		targets, titles := m.targets(p.Args)
		d := layerdiff.New([2]string(targets), [2]string(titles), m.account, m.jobs, m.backend)
		m.push(key, d)
		return m.perform(d.Start())
	case "find":
		return m.openFind(key, p.Args)
	case "layers":
		m.push(key, layers.New(m.inv, m.account, m.where.Account))
	case "findings":
		m.push(key, findings.New(m.inv))
	case "migrate":
		return m.openMigration(p.Args)
	case screen.Bulk:
		return m.openBulk(p.Args)
	case "filter":
		return m.openSaved(p.Args)
	case "columns":
		m.pop(1)
		return m.perform(m.first().Do("columns"))
	case "theme":
		m.openThemes(p.Args)
	case "mouse":
		m.toggleMouse()
	case "console":
		if why := m.unopened(); why != "" {
			m.say(screen.Info, "not now: "+why)
			return nil
		}
		return m.openConsole()
	case "journal":
		j := journal.New(m.jobs, m.backend, m.again, m.fleet)
		m.push(key, j)
		cmd := m.perform(j.Start())
		if len(p.Args) == 0 {
			return cmd
		}
		if fleet.IsID(p.Args[0]) {
			f := m.fleet(fleet.Entry{ID: p.Args[0]})
			m.push("", f)
			return tea.Batch(cmd, m.perform(f.Start()))
		}
		e := journal.NewEntry(switchover.Entry{ID: p.Args[0]}, m.jobs, m.backend, m.again)
		m.push("", e)
		return tea.Batch(cmd, m.perform(e.Start()))
	case "log":
		m.push(key, sessionlog.New(m.log, m.backend.Calls))
	case "help":
		if _, ok := m.top().(*help.Screen); !ok {
			m.push(key, help.New(m.top().Crumb(), commands, m.bound.Apply(m.actions()), m.bound.Apply(m.globals())))
		}
	case "arm":
		if m.armed {
			m.say(screen.Info, "the session is armed already")
			return nil
		}
		return m.arm(func() screen.Effect {
			return screen.Say(screen.Warn, "armed: changes to "+m.where.Account+" are allowed until you leave")
		})
	case "refresh":
		return m.refresh()
	case "quit":
		return m.leave()
	default:
		m.say(screen.Bad, "no command "+p.Name+". Tab completes, "+m.keyOf("help")+" explains.")
	}
	return nil
}

// function is the function a command is about: the one named, or the one on
// screen, or the one selected.
func (m *model) function(args []string) (arn string, ok bool) {
	if len(args) > 0 {
		if r, ok := m.inv.Named(args[0]); ok {
			return r.ARN, true
		}
		if strings.HasPrefix(args[0], "arn:") {
			return args[0], true
		}
		m.say(screen.Bad, "no function, or more than one, is named "+args[0])
		return "", false
	}
	for i := len(m.stack) - 1; i > 0; i-- {
		if f, ok := m.stack[i].(*function.Screen); ok {
			return f.ARN(), true
		}
	}
	if r := m.first().Selected(); r != nil {
		return r.ARN, true
	}
	m.say(screen.Bad, "no function is selected")
	return "", false
}

// openMigration shows the migration that runs, or plans one.
func (m *model) openMigration(args []string) tea.Cmd {
	if why := m.where.fixed(); why != "" {
		m.say(screen.Info, "not now: "+why)
		return nil
	}
	if m.current != nil && m.current.Running() {
		if len(args) > 0 {
			arn, ok := m.function(args)
			if !ok {
				return nil
			}
			if one, ok := m.current.(*migrate.Screen); !ok || arn != one.ARN() {
				m.say(screen.Warn, "one migration at a time: "+m.current.Crumb()+" is under way, "+m.shows("migrate"))
				return nil
			}
		}
		m.show(m.current)
		return nil
	}
	arn, ok := m.function(args)
	if !ok {
		return nil
	}
	name := arn
	var layers []string
	if r, ok := m.inv.Get(arn); ok {
		name = r.Name
		for _, l := range r.Layers {
			layers = append(layers, l.ARN)
		}
		if r.PackageType == "Image" {
			m.say(screen.Info, name+" already is a container image")
			return nil
		}
	}
	s := migrate.New(name, arn, layers, m.jobs, m.backend)
	m.show(s)
	return m.perform(s.Plan())
}

// again goes on with a journal, or takes it back.
func (m *model) again(a journal.Again) screen.Effect {
	if why := m.where.fixed(); why != "" {
		return screen.Say(screen.Info, "not now: "+why)
	}
	if m.jobs.Guarded() != nil {
		return screen.Say(screen.Warn, "one migration at a time: one is under way, "+m.shows("migrate"))
	}
	start := migrate.Resume
	if a.Rollback {
		start = migrate.Rollback
	}
	s, effect := start(a.Entry, m.jobs, m.backend)
	m.show(s)
	return effect
}

// shows says how a command is typed to see something.
func (m *model) shows(command string) string {
	key := m.keyOf("palette")
	if len(key) > 1 {
		key += " "
	}
	return key + command + " shows it"
}

// show puts a migration on top. There is one at a time.
func (m *model) show(s migration) {
	if i := slices.Index(m.stack, screen.Screen(s)); i >= 0 {
		m.pop(i + 1)
		return
	}
	m.current = s
	m.push("", s)
}
