package answer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// logTail is how much of a log comes with an answer, in bytes: its last 4 KB
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
const logTail = 4 << 10

// Log is the shape of one invocation's log, without its words: what Lambda has
// measured, and which kinds of lines there are, how many of each.
type Log struct {
	Told bool // a log came with the answer
	Cut  bool // the answer holds only the log's end: there may be more lines of each kind
	// Duration, Init and Memory are as Lambda writes them; "" is not told. Init is
	// told by an environment that has just started.
	Duration, Init, Memory string

	seen
	// start is what stood before the START line: from the start of the environment,
	// which not every invocation needs.
	start seen
}

// seen are lines by their kind.
type seen struct {
	count map[kind]int
	words map[kind][]string // of text lines, masked and sorted
}

func newSeen() seen { return seen{map[kind]int{}, map[kind][]string{}} }

// add takes lines of another one in.
func (s *seen) add(o seen) {
	for k, n := range o.count {
		s.count[k] += n
	}
	for k, w := range o.words {
		s.words[k] = append(s.words[k], w...)
		slices.Sort(s.words[k])
	}
}

// kind is what a line is, as far as it can be told without its words.
type kind struct {
	class string // one of Lambda's own, such as "START" or "platform.report", or textLine or jsonLine
	level string // of a line of the function's own; "" where it has none that is known
	keys  string // of a jsonLine, joined by commas
}

const (
	textLine = "text"
	jsonLine = "JSON"
)

// own reports whether the function wrote such lines, and not Lambda.
func (k kind) own() bool { return k.class == textLine || k.class == jsonLine }

// path is how a kind is told and ignored: $log.text.INFO, $log.JSON.ERROR, $log.START.
func (k kind) path() string {
	at := "$log." + k.class
	if k.level != "" {
		at += "." + k.level
	}
	return at
}

// failed reports whether such a line tells of something that went wrong.
func (k kind) failed() bool { return slices.Contains([]string{"ERROR", "FATAL", "CRITICAL"}, k.level) }

// The lines that are Lambda's own, in a log that is text, and the measures in one
// of them (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html).
var (
	lambdas  = regexp.MustCompile(`^(START|END|REPORT|INIT_START|INIT_REPORT|EXTENSION|TELEMETRY|XRAY)\b`)
	measured = regexp.MustCompile(`(Duration|Init Duration|Max Memory Used): ([0-9.]+ (?:ms|MB))`)
)

const level = `(TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL)`

// leveled finds the level that Node.js's console and Python's logging write into
// the lines of a text log (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html,
// …/python-logging.html).
var (
	leveled = regexp.MustCompile(`^(?:\S+\t\S+\t)?\[?` + level + `\]?(?:[\t :]|$)`)
	levels  = regexp.MustCompile(`^` + level + `$`)
)

// LogOf reads the end of an invocation's log, which comes with the answer.
func LogOf(out *lambda.InvokeOutput) Log {
	l := Log{seen: newSeen(), start: newSeen()}
	raw, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil || len(raw) == 0 {
		return l
	}
	l.Told, l.Cut = true, len(raw) >= logTail
	text := string(raw)
	if l.Cut { // the first line is a part of one
		_, text, _ = strings.Cut(text, "\n")
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line != "" {
			l.line(strings.TrimRight(line, "\r"))
		}
	}
	for _, w := range l.words {
		slices.Sort(w)
	}
	return l
}

func (l *Log) line(line string) {
	var fields map[string]json.RawMessage
	switch {
	case json.Unmarshal([]byte(line), &fields) == nil && fields != nil:
		l.structured(line, fields)
	case lambdas.MatchString(line):
		class := lambdas.FindString(line)
		if class == "START" {
			l.begun()
		}
		l.count[kind{class: class}]++
		if class == "REPORT" {
			for _, m := range measured.FindAllStringSubmatch(strings.ReplaceAll(line, "Billed Duration", "Billed"), -1) {
				*map[string]*string{"Duration": &l.Duration, "Init Duration": &l.Init, "Max Memory Used": &l.Memory}[m[1]] = m[2]
			}
		}
	default:
		k := kind{class: textLine}
		if m := leveled.FindStringSubmatch(line); m != nil {
			k.level = sameLevel(m[1])
		}
		l.count[k]++
		l.words[k] = append(l.words[k], mask(line))
	}
}

// begun puts what was seen until now apart: the invocation begins here.
func (l *Log) begun() {
	l.start.add(l.seen)
	l.seen = newSeen()
}

// structured takes a line that is a JSON object: Lambda's own
// (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html)
// or the function's.
func (l *Log) structured(line string, fields map[string]json.RawMessage) {
	var event struct {
		Type   string
		Record struct {
			Metrics struct{ DurationMs, InitDurationMs, MaxMemoryUsedMB *float64 }
		}
	}
	if json.Unmarshal([]byte(line), &event) == nil && strings.HasPrefix(event.Type, "platform.") && fields["record"] != nil {
		if event.Type == "platform.start" {
			l.begun()
		}
		l.count[kind{class: event.Type}]++
		m := event.Record.Metrics
		for _, x := range []struct {
			to   *string
			from *float64
			unit string
		}{{&l.Duration, m.DurationMs, " ms"}, {&l.Init, m.InitDurationMs, " ms"}, {&l.Memory, m.MaxMemoryUsedMB, " MB"}} {
			if event.Type == "platform.report" && x.from != nil {
				*x.to = strconv.FormatFloat(*x.from, 'f', -1, 64) + x.unit
			}
		}
		return
	}
	k := kind{class: jsonLine}
	keys := make([]string, 0, len(fields))
	for key, value := range fields {
		keys = append(keys, mask(key))
		var name string
		if (strings.EqualFold(key, "level") || strings.EqualFold(key, "severity")) && json.Unmarshal(value, &name) == nil {
			if name = strings.ToUpper(name); levels.MatchString(name) {
				k.level = sameLevel(name)
			}
		}
	}
	slices.Sort(keys)
	k.keys = strings.Join(slices.Compact(keys), ",")
	l.count[k]++
}

func sameLevel(name string) string {
	if name == "WARNING" {
		return "WARN"
	}
	return name
}

// What in a line is another one each time: times, ids, and every other number.
var changing = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]+(?:Z|[+-][0-9:]{4,5})?` +
	`|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-fA-F]*[0-9][0-9a-fA-F]{6,}\b|[0-9]+(?:[.,][0-9]+)*`)

func mask(line string) string { return changing.ReplaceAllString(line, "#") }

// lines counts the function's own lines, and those of them that are JSON.
func (s *seen) lines() (all, structured int) {
	for k, n := range s.count {
		if k.own() {
			all += n
		}
		if k.class == jsonLine {
			structured += n
		}
	}
	return all, structured
}

// Beside tells what was measured of the function as it is and of the image, in one line.
func (l *Log) Beside(image *Log) string {
	if !l.Told || !image.Told {
		return "no log came with the answers, so nothing was measured"
	}
	or := func(s string) string {
		if s == "" {
			return "not told"
		}
		return s
	}
	was, is := newSeen(), newSeen()
	was.add(l.start)
	was.add(l.seen)
	is.add(image.start)
	is.add(image.seen)
	all, structured := was.lines()
	allNow, structuredNow := is.lines()
	return fmt.Sprintf("took %s, with the new image %s; init %s and %s; memory %s and %s; log lines %d and %d, of which JSON %d and %d",
		or(l.Duration), or(image.Duration), or(l.Init), or(image.Init), or(l.Memory), or(image.Memory), all, allNow, structured, structuredNow)
}
