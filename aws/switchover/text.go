package switchover

import (
	"fmt"
	"strings"
)

// signs are the marks of terraform's plans, which people know.
var signs = map[Action]string{Create: "+", Delete: "-", Change: "~", Keep: "="}

// Text is the plan for people: + create, - delete, ~ change, = kept, ! lost. It
// needs no colour to be understood.
func (p *Plan) Text() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "Plan to %s\n\n", p.title())
	wide := 0
	for _, s := range p.Steps {
		wide = max(wide, len(s.ID))
	}
	for i, s := range p.Steps {
		fmt.Fprintf(b, "  %s %-6s %-*s  %s", signs[s.Action], s.Action, wide, s.ID, s.Call)
		if s.Target != "" {
			fmt.Fprintf(b, " %s", s.Target)
		}
		fmt.Fprintln(b)
		if s.Undo != "" && (i+1 == len(p.Steps) || p.Steps[i+1].Undo != s.Undo) { // once for a row of steps
			fmt.Fprintf(b, "%*s  undo: %s\n", len("  + create ")+wide, "", s.Undo)
		}
	}
	section(b, "Lost:", "!", p.Lost)
	section(b, "Warnings:", "*", p.Warnings)
	section(b, "Blocked by:", "x", p.Blockers)
	section(b, "Notes:", "i", p.Notes)
	count := map[Action]int{}
	for _, s := range p.Steps {
		count[s.Action]++
	}
	fmt.Fprintf(b, "\n%d to create, %d to change, %d to delete, %d kept, %d lost.\n",
		count[Create], count[Change], count[Delete], count[Keep], len(p.Lost))
	if len(p.Blockers) > 0 {
		fmt.Fprintln(b, "The plan can't be applied: see what blocks it.")
	}
	return b.String()
}

func (p *Plan) title() string {
	if p.Strategy == Refresh {
		return fmt.Sprintf("give %s a new image", p.Function)
	}
	if p.Strategy == Rehearse {
		return fmt.Sprintf("try %s as a container image under a temporary name", p.Function)
	}
	if p.Strategy == Beside {
		return fmt.Sprintf("create an image function beside %s and move its event source mappings", p.Function)
	}
	return fmt.Sprintf("replace %s by a container image under the same name", p.Function)
}

func section(b *strings.Builder, title, sign string, notices []Notice) {
	if len(notices) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, n := range notices {
		fmt.Fprintf(b, "  %s %s: %s\n", sign, n.ID, n.Message)
	}
}
