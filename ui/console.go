package ui

import (
	"context"
	"os"
	"os/exec"
	"runtime"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/ui/awscli"
	"github.com/optlift/optlift/ui/screen"
)

// located is a screen that shows, or has selected, something with an ARN.
type located interface{ ARN() string }

// unopened says why what is on screen can't be opened in AWS's console, "" when
// it can.
func (m *model) unopened() string {
	l, ok := m.top().(located)
	switch {
	case !ok:
		return "nothing on this screen has a page in the AWS console"
	case m.where.Endpoint != "":
		return "this account is not AWS's: it is served at " + m.where.Endpoint
	case l.ARN() == "":
		return "nothing is selected"
	case awscli.Console(l.ARN()) == "":
		return "this has no page in the AWS console"
	}
	return ""
}

// openConsole copies the address of the page, which also works through SSH, and
// opens a browser where there is one.
func (m *model) openConsole() tea.Cmd {
	l, ok := m.top().(located)
	if !ok {
		return nil
	}
	page, ctx, browse := awscli.Console(l.ARN()), m.ctx, m.browse
	m.say(screen.Good, "copied: "+page)
	return tea.Batch(tea.SetClipboard(page), func() tea.Msg { return browsed{page, browse(ctx, page)} })
}

// browsed tells how opening a page ended: whether a browser was started.
type browsed struct {
	page    string
	started bool
}

// browse opens a page in the user's browser, where the program runs on the
// user's own desktop, and reports whether it could.
func browse(ctx context.Context, page string) bool {
	if os.Getenv("SSH_CONNECTION") != "" {
		return false
	}
	opener := "xdg-open"
	switch {
	case runtime.GOOS == "darwin":
		opener = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return false
	}
	path, err := exec.LookPath(opener)
	if err != nil {
		return false
	}
	return exec.CommandContext(ctx, path, page).Run() == nil
}
