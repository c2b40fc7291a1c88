package switchover

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/optlift/optlift/aws/session"
)

// fault is an error of a run, cleared of secrets: AWS repeats environment
// values in some of its messages. The error itself is not kept.
type fault struct {
	text string
	is   []error // the sentinels that callers ask for
}

func (f *fault) Error() string        { return f.text }
func (f *fault) Is(target error) bool { return slices.Contains(f.is, target) }

// scrubber takes a snapshot's secrets out of texts.
type scrubber struct{ replace *strings.Replacer }

// minSecret is the length below which a value can't be told from ordinary text
// ("1", "true"), and would tear holes into it.
const minSecret = 5

// newScrubber takes out secrets, except what is part of a public text anyway: a
// variable may hold the function's own name.
func newScrubber(secrets []string, public string) scrubber {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // whole before part
	var pairs []string
	for _, s := range secrets {
		if len(s) < minSecret || strings.Contains(public, s) {
			continue
		}
		pairs = append(pairs, s, "•••")
		// Inside a JSON text the value is escaped.
		if quoted, err := json.Marshal(s); err == nil && string(quoted) != `"`+s+`"` {
			pairs = append(pairs, string(quoted[1:len(quoted)-1]), "•••")
		}
	}
	return scrubber{strings.NewReplacer(pairs...)}
}

// publicText is what of a function may be told: its ARN and its configuration
// without the environment.
func publicText(s *Snapshot) string {
	c, err := s.ConfigOf("")
	if err != nil {
		return s.ARN
	}
	c.Environment = nil
	text, err := json.Marshal(c)
	if err != nil {
		return s.ARN
	}
	return s.ARN + string(text)
}

// text makes a text fit for a journal, an event or a terminal. Secrets go
// before and after the cleaning, which may bring one together.
func (s scrubber) text(t string) string {
	return s.replace.Replace(session.Clean(s.replace.Replace(t)))
}

// fault clears an error.
func (s scrubber) fault(err error) error {
	if err == nil {
		return nil
	}
	f := &fault{text: s.text(session.Explain(err))}
	for _, sentinel := range []error{session.ErrReadOnly, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, sentinel) {
			f.is = append(f.is, sentinel)
		}
	}
	return f
}
