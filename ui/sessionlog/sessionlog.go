package sessionlog

import (
	"time"

	"github.com/optlift/optlift/ui/sanitize"
)

// keep is how many entries are kept, the newest.
const keep = 500

// Log is the session's log. It belongs to the root's Update.
type Log struct {
	// Now tells the time; nil is time.Now.
	Now     func() time.Time
	entries []entry
}

type entry struct {
	at   time.Time
	text string
}

// Add notes a line; the same line twice in a row is noted once.
func (l *Log) Add(text string) {
	now := time.Now
	if l.Now != nil {
		now = l.Now
	}
	if n := len(l.entries); n > 0 && l.entries[n-1].text == text {
		l.entries[n-1].at = now()
		return
	}
	l.entries = append(l.entries, entry{now(), sanitize.Text(text)})
	if len(l.entries) > keep {
		l.entries = append(l.entries[:0], l.entries[len(l.entries)-keep:]...)
	}
}
