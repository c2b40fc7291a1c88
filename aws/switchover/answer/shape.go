package answer

import (
	"fmt"
	"slices"
	"strings"
)

// LogDifference is one way in which the shapes of two logs differ.
type LogDifference struct {
	At   string // how it is ignored: $log.text.ERROR; "$log" ignores all
	Text string // without the lines' words
	// Worse says that the image's log tells of an error of which the other's, which
	// is whole, does not.
	Worse bool
}

// starting are Lambda's lines about an environment's start, which come when there
// was none to use again, and so differ by chance
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
var starting = []string{"INIT_START", "INIT_REPORT", "EXTENSION", "TELEMETRY", "XRAY",
	"platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.extension", "platform.telemetrySubscription"}

// LogDifferences compares the shapes of two logs: how many lines of each kind
// there are (Lambda's own, text or JSON, by level, by the keys of JSON), and
// whether text lines say the same with times, ids and numbers aside. A log that was
// cut may have had more lines than are seen, so it can have too many and never too
// few. What the start of an environment wrote counts where both had to start one.
func LogDifferences(was, is *Log, ignore []string) []LogDifference {
	var out []LogDifference
	a, b := was.compared(is), is.compared(was)
	add := func(k kind, worse bool, text string) {
		if !Ignored(k.path(), ignore) {
			out = append(out, LogDifference{At: k.path(), Text: text, Worse: worse})
		}
	}
	for _, k := range kinds(a, b) {
		n, now := a.count[k], b.count[k]
		more, less := now > n && !was.Cut, n > now && !is.Cut
		switch {
		case slices.Contains(starting, k.class):
		case more || less:
			add(k, more && k.failed(), fmt.Sprintf("%s %d, now %d", k.name(), n, now))
		case n == now && !was.Cut && !is.Cut:
			if other := others(a.words[k], b.words[k]); other > 0 {
				add(k, false, fmt.Sprintf("%s %d of %d say something else, times, ids and numbers aside", k.name(), other, n))
			}
		}
	}
	return out
}

// compared are the lines that can be compared with another log's: those from the
// start of an environment where both have one.
func (l *Log) compared(with *Log) seen {
	s := newSeen()
	s.add(l.seen)
	if l.Init != "" && with.Init != "" {
		s.add(l.start)
	}
	return s
}

// kinds are those of either log, in the order of their paths.
func kinds(logs ...seen) []kind {
	var all []kind
	for _, l := range logs {
		for k := range l.count {
			if !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	slices.SortFunc(all, func(a, b kind) int { return strings.Compare(a.path()+" "+a.keys, b.path()+" "+b.keys) })
	return all
}

// mostKeys bounds how many keys of a line are named.
const mostKeys = 8

// name says what kind of lines.
func (k kind) name() string {
	if !k.own() {
		return k.class + " lines:"
	}
	name := k.class + " lines"
	if k.level != "" {
		name += " at " + k.level
	}
	if keys := strings.Split(k.keys, ","); k.keys != "" {
		more := ""
		if len(keys) > mostKeys {
			keys, more = keys[:mostKeys], " …"
		}
		name += " with " + strings.Join(keys, ", ") + more
	}
	return name + ":"
}

// others counts the elements of b that a, of as many, has not; both are sorted.
func others(a, b []string) (n int) {
	for i, j := 0, 0; j < len(b); {
		switch {
		case i < len(a) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && a[i] < b[j]:
			i++
		default:
			n, j = n+1, j+1
		}
	}
	return n
}

// mostDifferences bounds how many are told of one event.
const mostDifferences = 10

// Shapes says in lines how the shapes of two logs compare, and whether the image's
// is worse: errors in it that the other has not.
func Shapes(was, is *Log, ignore []string) (lines []string, worse bool) {
	if !was.Told || !is.Told {
		return []string{"no log came with the answers, so the logs are not compared"}, false
	}
	differences := LogDifferences(was, is, ignore)
	for _, d := range differences {
		worse = worse || d.Worse
		if len(lines) < mostDifferences {
			lines = append(lines, d.At+": "+d.Text)
		}
	}
	if n := len(differences) - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more kinds of lines", n))
	}
	if len(lines) == 0 {
		lines = []string{"the logs have the same shape"}
	}
	if n, _ := was.start.lines(); n > 0 && is.Init == "" {
		lines = append(lines, alone(n, "of the function as it is"))
	}
	if n, _ := is.start.lines(); n > 0 && was.Init == "" {
		lines = append(lines, alone(n, "of the new image"))
	}
	if was.Cut || is.Cut {
		lines = append(lines, "only the last 4 KB of a log come with an answer, and "+cut(was, is)+" is longer: lines before were not compared")
	}
	return lines, worse
}

func alone(lines int, whose string) string {
	return fmt.Sprintf("lines written while the environment %s started, not compared because the other had started before: %d", whose, lines)
}

func cut(was, is *Log) string {
	switch {
	case was.Cut && is.Cut:
		return "each"
	case was.Cut:
		return "the function's own"
	}
	return "the new image's"
}
