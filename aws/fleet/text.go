package fleet

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover"
)

// Gap says what callers of a function meet during its switch.
func (m *Member) Gap() string {
	switch {
	case !m.Ready():
		return "-"
	case m.Plan.Strategy == switchover.Beside:
		return "none"
	}
	return "until Active" // measured and reported; nobody knows it before
}

// WriteText writes the plan for people: a row for each function, what stands
// against which, what is lost and what needs a word, and the waves.
func (p *Plan) WriteText(out io.Writer) error {
	b := &strings.Builder{}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FUNCTION\tREGION\tSTRATEGY\tBLOCKERS\tWARNINGS\tLOST\tGAP")
	for _, m := range p.Members {
		strategy, warnings, lost := "-", 0, 0
		if m.Plan != nil && !m.IsImage() {
			strategy, warnings, lost = string(m.Plan.Strategy), len(m.Plan.Warnings), len(m.Plan.Lost)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", session.Clean(m.Name), m.Region, strategy, len(m.Blockers()), warnings, lost, m.Gap())
	}
	w.Flush()
	ready, blocked, images := p.Counts()
	if images+blocked > 0 {
		fmt.Fprintf(b, "\nLeft alone:\n")
		for _, m := range p.Members {
			for _, n := range m.Blockers() {
				fmt.Fprintf(b, "  x %s: %s: %s\n", session.Clean(m.Name), n.ID, session.Clean(n.Message))
			}
		}
	}
	tallies(b, "Lost:", "!", p.Lost())
	tallies(b, "Warnings that need --accept ID:", "*", p.Unaccepted())
	if ready > 0 {
		fmt.Fprintf(b, "\nImages go to repository %s, one build at a time, so that shared layers are sent once. Waves of %d:\n", session.Clean(p.Choices.Repository), p.Wave)
		for i, wave := range p.Waves() {
			var names []string
			for _, m := range wave {
				names = append(names, session.Clean(m.Name))
			}
			fmt.Fprintf(b, "  %d  %s\n", i+1, strings.Join(names, ", "))
		}
	}
	fmt.Fprintf(b, "\nAccount %s: %d to switch, %d blocked, %d container images already.\n", p.Account, ready, blocked, images)
	_, err := io.WriteString(out, b.String())
	return err
}

func tallies(b *strings.Builder, title, sign string, all []Tally) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, t := range all {
		fmt.Fprintf(b, "  %s %s (%s): %s\n", sign, t.ID, plural(len(t.Functions), "function"), t.Message)
	}
}

// WriteText writes the report for people: a row for each function, then where the
// whole stands.
func (r *Report) WriteText(out io.Writer) error {
	if err := WriteOutcomes(out, r.Functions); err != nil {
		return err
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s\n", r.State, r.Message)
	for i, next := range r.Next {
		fmt.Fprintf(b, "%-5s %s\n", []string{"next:", "or:"}[min(i, 1)], next)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// WriteOutcomes writes a row for each function.
func WriteOutcomes(out io.Writer, all []Outcome) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FUNCTION\tREGION\tWAVE\tSTATE\tGAP\tJOURNAL\tMESSAGE")
	for _, o := range all {
		wave, gap := "-", "-"
		if o.Wave > 0 {
			wave = fmt.Sprint(o.Wave)
		}
		if o.Gap > 0 {
			gap = o.Gap.Round(time.Millisecond).String()
		}
		journal := o.Journal
		if journal == "" {
			journal = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", session.Clean(o.Name), o.Region, wave, o.State, gap, journal, session.Clean(o.Message))
	}
	return w.Flush()
}
