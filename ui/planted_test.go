package ui

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/switchover"
)

// plant puts what a terminal could act on into every text of an account but the
// names by which the scenes find their way.
func plant(b *fakeBackend) {
	b.remark = nasty
	for _, f := range b.functions {
		f.Description, f.Handler, f.Role, f.Wrapper = nasty, nasty, nasty, nasty
		f.EnvNames = append(f.EnvNames, nasty)
		f.ManagedBy += nasty
		for i := range f.Extensions {
			f.Extensions[i].Name += nasty
		}
		for i := range f.Findings {
			f.Findings[i].Message, f.Findings[i].Remedy = nasty+f.Findings[i].Message, nasty
		}
		f.Findings = append(f.Findings, account.Finding{ID: nasty, Severity: "note", Message: nasty, Remedy: nasty})
		for _, l := range f.LayerFacts {
			if l.Message != "" {
				l.Message = nasty + l.Message
			}
		}
	}
	if b.where != nil {
		b.where.Profile += nasty
	}
	for i, err := range b.refusals {
		var told *Refusal
		if errors.As(err, &told) {
			b.refusals[i] = &Refusal{Title: told.Title + nasty, Why: append(told.Why, nasty), Type: append(told.Type, nasty), Next: told.Next + nasty, Err: told.Err}
		}
	}
	for i := range b.codes {
		b.codes[i] += nasty
	}
	for i := range b.errors {
		b.errors[i].Message = nasty + b.errors[i].Message
	}
	b.plan.Warnings = append(b.plan.Warnings, switchover.Notice{ID: plantedWarning, Message: nasty})
	b.plan.Lost = append(b.plan.Lost, switchover.Notice{ID: nasty, Message: nasty})
	for i := range b.plan.Steps {
		b.plan.Steps[i].Target += nasty
		b.plan.Steps[i].Call += nasty
		b.plan.Steps[i].Undo += nasty
	}
	for i := range b.plan.Blockers {
		b.plan.Blockers[i].Message = nasty + b.plan.Blockers[i].Message
	}
	for i := range b.entries {
		b.entries[i].State += nasty
	}
	held := zips
	if b.files != nil {
		held = b.files
	}
	b.files = map[string]map[string]string{}
	for layer, content := range held {
		b.files[layer] = map[string]string{}
		for name, text := range content {
			b.files[layer][name] = plantFile(name, text)
		}
	}
}

// plantedSecret is in the environment of every function that a switch is planned
// for.
const plantedSecret = "planted-environment-value"

// TestScenesShowNoSecret plays every scene and copies what it can: the environment
// of a function is on no screen. The real program's screens are looked at in
// cmd/optlift.
func TestScenesShowNoSecret(t *testing.T) {
	copied := 0
	for _, s := range scenes {
		r := s.play(t, 120, 40)
		frame := r.m.View()
		clipboard := ""
		for _, a := range r.m.top().Actions() {
			if slices.Contains(a.Keys, "y") && a.Disabled == "" {
				clipboard = r.m.top().Do(a.ID).Copy
				copied++
			}
		}
		for where, text := range map[string]string{"screen": frame.Content, "title": frame.WindowTitle, "clipboard": clipboard} {
			if strings.Contains(text, plantedSecret) {
				t.Errorf("%s: the %s holds a secret:\n%s", s.name, where, text)
			}
		}
	}
	if copied < 5 {
		t.Errorf("only %d scenes copy anything", copied)
	}
}

// plantFile puts it into a file, and into what a package says of itself.
func plantFile(name, text string) string {
	line := strings.NewReplacer("\x00", "", "\r", "", "\n", "").Replace(nasty)
	var manifest map[string]string
	switch {
	case strings.HasSuffix(name, "/package.json") && json.Unmarshal([]byte(text), &manifest) == nil && manifest["name"] != "":
		manifest["name"] += line
		if manifest["version"] != "" {
			manifest["version"] += line
		}
		out, err := json.Marshal(manifest)
		if err != nil {
			panic(err) // of strings
		}
		return string(out)
	case strings.HasSuffix(name, "/METADATA"):
		return strings.Replace(text, "\nVersion: ", line+"\nVersion: "+line, 1)
	}
	return text + strings.ReplaceAll(nasty, "\x00", "")
}

// plantedWarning is the id of a warning that is planted; fleets have it accepted.
const plantedWarning = "planted"

// TestPlantedSequences plays every scene over an account full of escape sequences:
// none reaches the frame, nor the window's title, and the frame still fits.
func TestPlantedSequences(t *testing.T) {
	prepare = plant
	t.Cleanup(func() { prepare = nil })
	planted := 0
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			r := s.play(t, 120, 40)
			clean(t, r.m)
			fits(t, r.m)
			if title := r.m.View().WindowTitle; strings.ContainsAny(title, "\x1b\x07\u009b\r\n\u202e") {
				t.Fatalf("the title is %q", title)
			}
			if strings.Contains(r.screen(), "evil") {
				planted++
			}
		})
	}
	if planted < len(scenes)/2 {
		t.Fatalf("what was planted is on screen in %d of %d scenes only: this proves little", planted, len(scenes))
	}
}
