package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/dialog"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/sanitize"
	"github.com/optlift/optlift/ui/screen"
	"github.com/optlift/optlift/ui/theme"
)

// airy is the height from which a line is spent on space below the breadcrumbs.
const airy = 30

// View implements tea.Model.
func (m *model) View() tea.View {
	m.cursor = nil
	v := tea.NewView(strings.Join(m.frame(), "\n"))
	v.AltScreen = true
	v.Cursor = m.cursor
	v.WindowTitle = sanitize.Text("optlift · " + m.top().Crumb())
	v.ProgressBar = m.progress()
	// A theme that was asked for by name brings its background along where the
	// terminal's would make it unreadable.
	if text, paper := m.styles.Paper(); paper != nil && theme.IsDark(paper) != m.dark {
		v.ForegroundColor, v.BackgroundColor = text, paper
	}
	if m.mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// progress is what the terminal may show beside its title: how far the migration
// is, or else the audit.
func (m *model) progress() *tea.ProgressBar {
	if m.current != nil {
		if done, of, running := m.current.Progress(); running && of > 0 {
			return tea.NewProgressBar(tea.ProgressBarDefault, done*100/of)
		}
	}
	if m.signing != nil {
		return tea.NewProgressBar(tea.ProgressBarIndeterminate, 0)
	}
	if m.audit == nil {
		return nil
	}
	measured, found, listed := m.inv.Progress()
	if !listed || found == 0 {
		return tea.NewProgressBar(tea.ProgressBarIndeterminate, 0)
	}
	return tea.NewProgressBar(tea.ProgressBarDefault, measured*100/found)
}

// bodyTop is the line in which the screens begin.
func (m *model) bodyTop() int {
	if m.h >= airy {
		return 3
	}
	return 2
}

// frame draws exactly h lines of at most w columns.
func (m *model) frame() []string {
	if m.w <= 0 || m.h <= 0 {
		return nil
	}
	if m.tooSmall() {
		return m.small()
	}
	out := make([]string, 0, m.h)
	// The body comes first: what a screen counts depends on what is seen of it.
	room := m.h - 2 - m.bodyTop()
	body := m.top().View(m.styles, m.w, room)
	out = append(out, m.banner(), m.crumbs())
	for len(out) < m.bodyTop() {
		out = append(out, "")
	}
	out = append(out, body[:min(len(body), room)]...)
	for len(out) < m.h-2 {
		out = append(out, "")
	}
	if m.ask != nil {
		left, top := dialog.Over(out[2:], m.ask.View(m.styles, m.w-4, m.h-4), m.w)
		m.point(left, top+2)
	}
	status := m.status()
	if m.prompt != nil {
		m.cursorAt(m.prompt.Cursor(), m.h-2)
	}
	return append(out, status, m.footer())
}

// point puts the cursor into the question whose box has its corner there.
func (m *model) point(left, top int) {
	if x, y, shown := m.ask.Cursor(); shown {
		m.cursorAt(left+x, top+y)
	}
}

// cursorAt shows the terminal's own cursor, which screen readers and input
// methods follow.
func (m *model) cursorAt(x, y int) {
	m.cursor = tea.NewCursor(min(x, m.w-1), min(y, m.h-1))
	m.cursor.Shape = tea.CursorBar
}

// small is what is shown where the screens do not fit.
func (m *model) small() []string {
	out := []string{}
	say := func(t theme.Tone, text string) { out = append(out, draw.Para(m.styles, m.w, 0, t, text)...) }
	if m.ask != nil {
		out = m.ask.View(m.styles, m.w, m.h)
		m.point(0, 0)
	} else {
		say(theme.Strong, "optlift needs 60×20")
		if j := m.jobs.Guarded(); j != nil {
			say(theme.Warn, j.Name+" is under way")
		}
		say(theme.Dim, "make the window larger · ctrl-c leaves")
	}
	return out[:min(len(out), m.h)]
}

// banner tells which account this is and whether it can be changed.
func (m *model) banner() string {
	badge, tone, plain, dim := " READ-ONLY ", theme.ReadOnly, theme.Plain, theme.Dim
	if m.armed {
		badge = " ▲ ARMED: changes are live "
		if m.w < 70 {
			badge = " ▲ ARMED "
		}
		tone, plain, dim = theme.Armed, theme.Armed, theme.Armed
	}
	if m.away != nil {
		badge = m.badgeAway(badge)
		if !m.away.Trying {
			tone = theme.Bad // green would say that all is well
		}
	}
	l := draw.NewLine(m.styles, m.w, false)
	brand := theme.Brand
	if m.armed {
		brand = theme.Armed
	}
	l.Put(brand, " optlift ")
	if m.away != nil {
		m.bannerAway(l, plain)
	}
	if len(m.where.Accounts) > 1 {
		switch {
		case m.where.Saved != "": // nothing in it can be changed, however it is opened
		case m.w < 120:
			badge = " READ-ONLY with several profiles "
		default:
			badge = " READ-ONLY: start with one profile to change "
		}
		m.several(l, max(l.Left()-len([]rune(badge))-1, 0))
	} else if m.away == nil {
		l.Put(plain, " "+m.where.Account)
	}
	if m.where.Demo {
		l.Put(dim, " demo account")
	} else if m.where.Saved != "" {
		l.Put(theme.Warn, " "+m.where.Saved)
	} else if m.where.Profile != "" {
		l.Put(dim, " "+m.where.Profile)
	}
	regions := strings.Join(m.where.Regions, " ")
	if len(m.where.Regions) > 3 {
		regions = draw.Plural(len(m.where.Regions), "region")
	}
	room := l.Left() - len([]rune(badge)) - 3
	if room > 8 && regions != "" {
		l.Append(draw.NewLine(m.styles, room, false).Put(dim, " · "+regions))
	}
	fill := l.Left() - len([]rune(badge))
	if m.armed {
		l.Put(theme.Armed, strings.Repeat(" ", max(fill, 0)))
	} else {
		l.Gap(fill)
	}
	return l.Put(tone, badge).String()
}

// several names the profiles on screen in w columns, those that failed with a mark.
func (m *model) several(out *draw.Line, w int) {
	l := draw.NewLine(m.styles, w, false)
	for _, a := range m.where.Accounts {
		switch {
		case a.Failed:
			l.Put(theme.Warn, " ✗ "+a.Profile)
		case m.w < 120:
			l.Put(theme.Plain, " "+a.Profile)
		default:
			l.Put(theme.Plain, " "+a.Profile).Put(theme.Dim, " "+a.Account)
		}
	}
	out.Append(l)
}

func (m *model) crumbs() string {
	count := ""
	if c, ok := m.top().(screen.Counter); ok {
		count = c.Count() + " "
	}
	l := draw.NewLine(m.styles, m.w, false).Gap(1)
	room := m.w - len([]rune(count)) - 3
	path := draw.NewLine(m.styles, max(room, 10), false)
	m.crumbSpots = m.crumbSpots[:0]
	for i, s := range m.stack {
		if i > 0 {
			path.Put(theme.Dim, " › ")
		}
		tone := theme.Dim
		if i == len(m.stack)-1 {
			tone = theme.Strong
		}
		from := 1 + path.Used()
		path.Put(tone, s.Crumb())
		m.crumbSpots = append(m.crumbSpots, spot{from: from, to: 1 + path.Used(), depth: i})
	}
	if f, ok := m.top().(screen.Filterable); ok && f.Filter() != "" && m.prompt == nil {
		path.Put(theme.Accent, "  /"+f.Filter())
	}
	return l.Append(path).Flush(theme.Dim, count).String()
}

// status is the line in which the program speaks, or the user types.
func (m *model) status() string {
	if m.prompt != nil {
		return m.prompt.View(m.styles, m.w)
	}
	l := draw.NewLine(m.styles, m.w, false).Gap(1)
	if m.note == "" {
		if j := m.jobs.Guarded(); j != nil && m.top() != screen.Screen(m.current) {
			l.Put(theme.Warn, "▸ "+j.Name+" is under way").Put(theme.Dim, "  "+m.shows("migrate"))
		}
		return l.String()
	}
	switch m.level {
	case screen.Good:
		l.Put(theme.Good, "✓ ")
	case screen.Warn:
		l.Put(theme.Warn, "▲ ")
	case screen.Bad:
		l.Put(theme.Bad, "✗ ")
	}
	return l.Put(theme.Plain, m.note).String()
}

// footer names the keys that matter here, as many as fit; help and the way out
// are always there.
func (m *model) footer() string {
	if m.ask != nil || m.prompt != nil {
		return m.promptFooter()
	}
	type hint struct{ key, label, action string }
	var major, minor, always []hint
	seen := map[string]bool{}
	for _, table := range m.tables() {
		for _, a := range table {
			if a.Label == "" || len(a.Keys) == 0 || seen[a.Keys[0]] || a.Disabled != "" {
				continue
			}
			seen[a.Keys[0]] = true
			text := a.Binding().Help()
			h := hint{text.Key, text.Desc, a.ID}
			switch {
			case a.ID == "help" || a.ID == "quit" || a.ID == "back":
				always = append(always, h)
			case a.Minor:
				minor = append(minor, h)
			default:
				major = append(major, h)
			}
		}
	}
	width := func(h hint) int { return len([]rune(h.key)) + 1 + len([]rune(h.label)) + 2 }
	room := m.w - 1
	for _, h := range always {
		room -= width(h)
	}
	l := draw.NewLine(m.styles, m.w, false).Gap(1)
	m.footerSpots = m.footerSpots[:0]
	show := func(h hint) {
		from := l.Used()
		l.Put(theme.Accent, h.key).Put(theme.Dim, " "+h.label)
		m.footerSpots = append(m.footerSpots, spot{from: from, to: l.Used(), action: h.action})
		l.Gap(2)
	}
	for _, h := range append(major, minor...) {
		if width(h) > room {
			continue
		}
		room -= width(h)
		show(h)
	}
	for _, h := range always {
		show(h)
	}
	return l.String()
}

func (m *model) promptFooter() string {
	l := draw.NewLine(m.styles, m.w, false).Gap(1)
	switch {
	case m.ask != nil:
		return l.String()
	case m.prompt.Mark == ":":
		l.Put(theme.Accent, "enter").Put(theme.Dim, " go  ").Put(theme.Accent, "Tab").Put(theme.Dim, " complete  ").
			Put(theme.Accent, "↑↓").Put(theme.Dim, " earlier  ").Put(theme.Accent, "esc").Put(theme.Dim, " leave")
	default:
		l.Put(theme.Accent, "enter").Put(theme.Dim, " keep  ").Put(theme.Accent, "esc").Put(theme.Dim, " clear   ").
			Put(theme.Dim, "word  !not  /regex/  ~fuzzy  ext:name  size>200MB  layers>=3")
	}
	return l.String()
}
