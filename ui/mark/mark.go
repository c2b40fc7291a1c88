package mark

import (
	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/theme"
)

// Severity is a finding's severity.
func Severity(severity string) (string, theme.Tone) {
	switch severity {
	case "error":
		return "✗", theme.Bad
	case "warning":
		return "▲", theme.Warn
	}
	return "i", theme.Accent
}

// Unzipped is an unzipped size: the size, "?" with the reason, "…" while it is
// being measured, "-" where there is none.
func Unzipped(r *inventory.Row, running bool) (string, theme.Tone) {
	if n, known := r.Unzipped(); known {
		return draw.Bytes(n), theme.Plain
	}
	if r.PackageType == "Image" {
		return "-", theme.Dim
	}
	if r.Facts == nil || !r.Facts.Complete {
		if running {
			return "…", theme.Dim
		}
		return "?", theme.Warn
	}
	return "? " + string(r.Unreadable()), theme.Warn
}

// State is how an archive could be read.
func State(s account.State) (string, theme.Tone) {
	switch s {
	case account.OK:
		return "ok", theme.Good
	case account.Deleted:
		return "✗ deleted", theme.Bad
	case account.Denied:
		return "⊘ denied", theme.Warn
	case account.Failed:
		return "! failed", theme.Bad
	}
	return "? not read yet", theme.Dim
}

// Action is what a step of a plan does, as terraform draws it.
func Action(a switchover.Action) (string, theme.Tone) {
	switch a {
	case switchover.Create:
		return "+", theme.Good
	case switchover.Delete:
		return "-", theme.Bad
	case switchover.Change:
		return "~", theme.Warn
	}
	return "=", theme.Dim
}

// Step is where a step stands.
func Step(s switchover.StepState) (string, theme.Tone) {
	switch s {
	case switchover.Running:
		return "▸", theme.Accent
	case switchover.Done:
		return "✓", theme.Good
	case switchover.Skipped:
		return "✓", theme.Dim
	case switchover.Broken:
		return "✗", theme.Bad
	}
	return "·", theme.Dim
}
