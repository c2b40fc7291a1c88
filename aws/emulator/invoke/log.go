package invoke

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/invoke/node"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// maxLog bounds what one invocation keeps of its log, in bytes.
const maxLog = 1 << 20

// logger writes one invocation's log, as text or as JSON, whichever the function
// is configured for
// (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html).
type logger struct {
	id      string
	version string
	memory  int32
	json    bool
	now     func() time.Time
	init    time.Duration
	cold    bool
	out     bytes.Buffer
}

func newLog(req wire.Invocation, now func() time.Time) *logger {
	l := &logger{id: req.Call.ID, version: aws.ToString(req.Function.Version), memory: aws.ToInt32(req.Function.MemorySize), now: now}
	if c := req.Function.LoggingConfig; c != nil {
		l.json = c.LogFormat == types.LogFormatJson
	}
	return l
}

func (l *logger) stamp() string { return l.now().UTC().Format("2006-01-02T15:04:05.000Z") }

// Raw appends a line; the oldest half goes when the log grows too long.
func (l *logger) Raw(line string) {
	if l.out.Len()+len(line) > maxLog {
		rest := l.out.Bytes()[l.out.Len()/2:]
		if at := bytes.IndexByte(rest, '\n'); at >= 0 {
			rest = rest[at+1:]
		}
		kept := bytes.Clone(rest)
		l.out.Reset()
		l.out.Write(kept)
		line = line[:min(len(line), maxLog/2)]
	}
	l.out.WriteString(line)
	l.out.WriteByte('\n')
}

// event is a line of the platform in the JSON format.
func (l *logger) event(kind string, record map[string]any) {
	raw, err := marshal(map[string]any{"time": l.stamp(), "type": kind, "record": record})
	if err == nil { // plain values always encode
		l.Raw(string(raw))
	}
}

func (l *logger) start() {
	if l.json {
		l.event("platform.start", map[string]any{"requestId": l.id, "version": l.version})
		return
	}
	l.Raw(fmt.Sprintf("START RequestId: %s Version: %s", l.id, l.version))
}

func (l *logger) initialised(d time.Duration) { l.init, l.cold = d, true }

// Message is a line of the function's own, as Node.js's runtime writes it.
func (l *logger) Message(level, text string) {
	if !l.json {
		l.Raw(fmt.Sprintf("%s\t%s\t%s\t%s", l.stamp(), l.id, level, text))
		return
	}
	raw, err := marshal(map[string]any{"timestamp": l.stamp(), "level": level, "requestId": l.id, "message": text})
	if err == nil {
		l.Raw(string(raw))
	}
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000)
}

func (l *logger) end(took time.Duration, fail *node.Failure, timeout time.Duration) {
	status := ""
	if fail != nil {
		if fail.Note != "" {
			l.Raw(fail.Note)
		}
		switch {
		case fail.Kind == node.TimedOut:
			took, status = timeout, "timeout"
			l.Raw(fmt.Sprintf("%s %s %s", l.stamp(), l.id, fail.Message))
		case fail.Own:
			status = "error"
			l.Message("ERROR", "Invoke Error \t"+string(payload(fail, l.id)))
		default:
			status = "error"
			l.Raw("RequestId: " + l.id + " Error: " + fail.Message)
			l.Raw(fail.Kind)
		}
	}
	billed := int64(math.Ceil(float64(took.Microseconds()) / 1000))
	if l.json {
		metrics := map[string]any{"durationMs": float64(took.Microseconds()) / 1000, "billedDurationMs": billed, "memorySizeMB": l.memory}
		if l.cold {
			metrics["initDurationMs"] = float64(l.init.Microseconds()) / 1000
		}
		if status == "" {
			status = "success"
		}
		l.event("platform.report", map[string]any{"requestId": l.id, "metrics": metrics, "status": status})
		return
	}
	l.Raw("END RequestId: " + l.id)
	report := []string{
		"REPORT RequestId: " + l.id, "Duration: " + milliseconds(took), fmt.Sprintf("Billed Duration: %d ms", billed),
		fmt.Sprintf("Memory Size: %d MB", l.memory),
	}
	if l.cold {
		report = append(report, "Init Duration: "+milliseconds(l.init))
	}
	if fail != nil {
		report = append(report, "Status: "+status)
		if status == "error" {
			report = append(report, "Error Type: "+fail.Kind)
		}
	}
	l.Raw(strings.Join(report, "\t"))
}

func (l *logger) bytes() []byte { return l.out.Bytes() }
