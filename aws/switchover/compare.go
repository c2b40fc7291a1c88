package switchover

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// compare invokes old and new with the user's events.
func (r *run) compare(ctx context.Context, name, note string) (outcome, error) {
	var differences []error
	var facts []Fact
	strange := 0
	for _, file := range r.choices.Events {
		payload, err := readEvent(file)
		if err != nil {
			return outcome{}, err
		}
		was, err := r.invoke(ctx, r.snap.Function, payload)
		if err != nil {
			return outcome{}, err
		}
		is, err := r.invoke(ctx, name, payload)
		if err != nil {
			return outcome{}, err
		}
		if notRunnable(was) || notRunnable(is) {
			strange++
			facts = append(facts, Fact{FactEvent, filepath.Base(file) + ": not comparable, because this endpoint can't run the function"})
			continue
		}
		d := differ(was, is, r.choices.Ignore)
		facts = append(facts, Fact{FactEvent, compared(file, was, is, d)}, Fact{FactRun, reportOf(was).beside(reportOf(is))})
		if d != "" {
			differences = append(differences, fmt.Errorf("event %s: %s", file, d))
		}
	}
	if n := len(r.choices.Events) - strange; n > 0 {
		note += fmt.Sprintf("; %s compared", plural(n, "event"))
	}
	if strange > 0 {
		note += fmt.Sprintf("; %s not comparable: this endpoint can't run the function", plural(strange, "event"))
	}
	if err := errors.Join(differences...); err != nil {
		if !slices.Contains(r.choices.Accept, acceptRehearsal) {
			return outcome{}, fmt.Errorf("the new image answers otherwise than the function does now (go on with --accept %s): %w", acceptRehearsal, err)
		}
		note += "; differences accepted: " + err.Error()
	}
	if len(r.choices.Events) == 0 {
		facts = append(facts, Fact{FactEvent, "none was given, so no answers were compared"})
	}
	return outcome{note: note, facts: facts}, nil
}

// The facts of a rehearsal: how the answers to an event compare, and what was
// measured beside them.
const (
	FactEvent = "event"
	FactRun   = "run"
)

// notRunnable tells the answer of an endpoint that can't run the function at all,
// as an embedded account can't run every runtime: that is no answer of the
// function's, and says nothing about the image.
func notRunnable(out *lambda.InvokeOutput) bool {
	var answer struct{ ErrorType string }
	return aws.ToString(out.FunctionError) != "" && json.Unmarshal(out.Payload, &answer) == nil && answer.ErrorType == "Runtime.NotRunnable"
}

// compared says how the answers to an event compare, without their values.
func compared(file string, was, is *lambda.InvokeOutput, difference string) string {
	if difference == "" {
		difference = "the same answer"
		if aws.ToString(is.FunctionError) != "" {
			difference = "the same error"
		}
	}
	return fmt.Sprintf("%s: %s; %d bytes from the function as it is, %d from the new image", filepath.Base(file), difference, len(was.Payload), len(is.Payload))
}

// maxEvent is the size of a synchronous invocation's payload
// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const maxEvent = 6 << 20

func readEvent(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	defer f.Close()
	payload, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read event %s: %w", file, err)
	case len(payload) > maxEvent:
		return nil, fmt.Errorf("event %s has more than the 6 MB that an invocation takes", file)
	case !json.Valid(payload):
		return nil, fmt.Errorf("event %s is not JSON", file)
	}
	return payload, nil
}

// invoke runs a function; running it may change the world, so it is kept in the
// journal. An endpoint that never answers is given up some time after the function
// itself would have been.
func (r *run) invoke(ctx context.Context, name string, payload []byte) (out *lambda.InvokeOutput, err error) {
	limit := invokeTimeout
	if c, err := r.snap.ConfigOf(""); err == nil && c.Timeout != nil {
		limit = min(limit, time.Duration(*c.Timeout)*time.Second+r.s.callTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err = r.upload(ctx, "Invoke", name, func(ctx context.Context) (err error) {
		out, err = r.api.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload,
			InvocationType: types.InvocationTypeRequestResponse, LogType: types.LogTypeTail}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
		return err
	})
	if err != nil {
		err = fmt.Errorf("invoke %s: %w", name, err)
	}
	return out, err
}

// differ says where two answers differ, without their values: those may be secret.
func differ(was, is *lambda.InvokeOutput, ignore []string) string {
	if was.StatusCode != is.StatusCode {
		return fmt.Sprintf("status %d, now %d", was.StatusCode, is.StatusCode)
	}
	if a, b := aws.ToString(was.FunctionError), aws.ToString(is.FunctionError); a != b {
		return fmt.Sprintf("function error %q, now %q", a, b)
	}
	var a, b any
	if json.Unmarshal(was.Payload, &a) != nil || json.Unmarshal(is.Payload, &b) != nil {
		if string(was.Payload) != string(is.Payload) {
			return "the payloads differ, and are not JSON"
		}
		return ""
	}
	if at := difference(a, b, "$", func(at string) bool { return ignored(at, ignore) }); at != "" {
		return "the payloads differ at " + at
	}
	return ""
}

// ignored reports whether a path, as differences are told ($.order.id, $.items[3]),
// is one of those that the user does not count, or lies below it. [*] stands for
// every element of a list.
func ignored(at string, paths []string) bool {
	every := anyElement.ReplaceAllString(at, "[*]")
	for _, p := range paths {
		for _, is := range []string{at, every} {
			if rest, ok := strings.CutPrefix(is, p); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return true
			}
		}
	}
	return false
}

var anyElement = regexp.MustCompile(`\[[0-9]+\]`)

// firstDifference is the path of the first difference of two JSON values, "" for none.
func firstDifference(a, b any, at string) string {
	return difference(a, b, at, func(string) bool { return false })
}

// difference is firstDifference but for paths that are skipped.
func difference(a, b any, at string, skip func(string) bool) string {
	if skip(at) {
		return ""
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return at
		}
		keys := map[string]bool{}
		for k := range a {
			keys[k] = true
		}
		for k := range b {
			keys[k] = true
		}
		sorted := make([]string, 0, len(keys))
		for k := range keys {
			sorted = append(sorted, k)
		}
		sort.Strings(sorted)
		for _, k := range sorted {
			x, inA := a[k]
			y, inB := b[k]
			if inA != inB && !skip(at+"."+k) {
				return at + "." + k
			}
			if d := difference(x, y, at+"."+k, skip); d != "" {
				return d
			}
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return at
		}
		for i := range a {
			if d := difference(a[i], b[i], at+"["+strconv.Itoa(i)+"]", skip); d != "" {
				return d
			}
		}
	default:
		if !reflect.DeepEqual(a, b) {
			return at
		}
	}
	return ""
}

// sameJSON compares two JSON texts by their values.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return firstDifference(x, y, "") == "" && (x == nil) == (y == nil)
}

// report is what the log of one invocation tells without its words, which may be
// secret: what Lambda has measured, and how many lines the function has written.
type report struct {
	duration, init, memory string // as Lambda writes them; "" is not told
	text, structured       int    // lines
	told                   bool   // a log came with the answer
}

// The measures in the REPORT line of a text log, and the lines that are Lambda's own
// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html).
var (
	measured = regexp.MustCompile(`(Duration|Init Duration|Max Memory Used): ([0-9.]+ (?:ms|MB))`)
	lambdas  = regexp.MustCompile(`^(START|END|REPORT|INIT_START|INIT_REPORT|EXTENSION|TELEMETRY|XRAY)\b`)
)

// reportOf reads the last 4 KB of an invocation's log, which come with the answer.
func reportOf(out *lambda.InvokeOutput) (r report) {
	log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil || len(log) == 0 {
		return r
	}
	r.told = true
	for _, line := range strings.Split(strings.TrimSpace(string(log)), "\n") {
		var event struct {
			Type   string
			Record struct {
				Metrics struct{ DurationMs, InitDurationMs, MaxMemoryUsedMB *float64 }
			}
		}
		switch {
		case json.Unmarshal([]byte(line), &event) == nil && strings.HasPrefix(event.Type, "platform."):
			m := event.Record.Metrics
			for _, x := range []struct {
				to   *string
				from *float64
				unit string
			}{{&r.duration, m.DurationMs, " ms"}, {&r.init, m.InitDurationMs, " ms"}, {&r.memory, m.MaxMemoryUsedMB, " MB"}} {
				if event.Type == "platform.report" && x.from != nil {
					*x.to = strconv.FormatFloat(*x.from, 'f', -1, 64) + x.unit
				}
			}
		case strings.HasPrefix(line, "REPORT "):
			for _, m := range measured.FindAllStringSubmatch(strings.ReplaceAll(line, "Billed Duration", "Billed"), -1) {
				*map[string]*string{"Duration": &r.duration, "Init Duration": &r.init, "Max Memory Used": &r.memory}[m[1]] = m[2]
			}
		case lambdas.MatchString(line):
		case json.Valid([]byte(line)):
			r.structured++
		default:
			r.text++
		}
	}
	return r
}

// beside tells the Zip function's report and the image function's in one line.
func (r report) beside(image report) string {
	if !r.told || !image.told {
		return "no log came with the answers, so nothing was measured"
	}
	or := func(s string) string {
		if s == "" {
			return "not told"
		}
		return s
	}
	return fmt.Sprintf("took %s, with the new image %s; init %s and %s; memory %s and %s; log lines %d and %d, of which JSON %d and %d",
		or(r.duration), or(image.duration), or(r.init), or(image.init), or(r.memory), or(image.memory),
		r.text+r.structured, image.text+image.structured, r.structured, image.structured)
}
