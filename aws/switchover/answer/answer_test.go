package answer

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"
)

func TestDifference(t *testing.T) {
	for _, test := range []struct{ a, b, at string }{
		{`{"a":1}`, `{"a":1}`, ""}, {`[1,{"b":[2,3]}]`, `[1,{"b":[2,4]}]`, "$[1].b[1]"}, {`{"a":1}`, `{}`, "$.a"},
		{`{}`, `{"z":null}`, "$.z"}, {`1`, `"1"`, "$"}, {`[1]`, `[1,2]`, "$"}, {`null`, `{}`, "$"},
	} {
		var x, y any
		if err := json.Unmarshal([]byte(test.a), &x); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(test.b), &y); err != nil {
			t.Fatal(err)
		}
		if got := Difference(x, y, "$", nil); got != test.at {
			t.Errorf("%s and %s differ at %q, want %q", test.a, test.b, got, test.at)
		}
	}
}

func TestIgnored(t *testing.T) {
	paths := []string{"$.id", "$.items[*].at", "$.list[1]", "$log.text"}
	for at, want := range map[string]bool{"$.id": true, "$.id.part": true, "$.id[2]": true, "$.idle": false, "$": false,
		"$.items[7].at": true, "$.items[7].to": false, "$.list[1].x": true, "$.list[0]": false,
		"$log.text.ERROR": true, "$log.JSON": false} {
		if got := Ignored(at, paths); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
}

func answerWith(log string) *lambda.InvokeOutput {
	return &lambda.InvokeOutput{LogResult: aws.String(base64.StdEncoding.EncodeToString([]byte(log)))}
}

func TestLogOf(t *testing.T) {
	text := LogOf(answerWith("START RequestId: x Version: 1\nhello\n{\"level\":\"info\",\"b\":1}\nEND RequestId: x\n" +
		"REPORT RequestId: x\tDuration: 1.25 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 66 MB\tInit Duration: 100.5 ms\t\n"))
	if !text.Told || text.Cut || text.Duration != "1.25 ms" || text.Init != "100.5 ms" || text.Memory != "66 MB" {
		t.Errorf("text: %+v", text)
	}
	want := map[kind]int{{class: "START"}: 1, {class: "END"}: 1, {class: "REPORT"}: 1, {class: textLine}: 1, {class: jsonLine, level: "INFO", keys: "b,level"}: 1}
	if d := cmp.Diff(want, text.count, cmp.AllowUnexported(kind{})); d != "" {
		t.Errorf("text: %s", d)
	}
	structured := LogOf(answerWith(`{"type":"platform.start","record":{}}
{"level":"INFO","message":"hello"}
{"type":"platform.report","record":{"metrics":{"durationMs":1.5,"billedDurationMs":2,"maxMemoryUsedMB":66}}}`))
	if structured.Duration != "1.5 ms" || structured.Init != "" || structured.Memory != "66 MB" {
		t.Errorf("JSON: %+v", structured)
	}
	none := LogOf(&lambda.InvokeOutput{})
	if got := none.Beside(&text); !strings.Contains(got, "nothing was measured") {
		t.Errorf("no log: %s", got)
	}
	if got := text.Beside(&structured); got != "took 1.25 ms, with the new image 1.5 ms; init 100.5 ms and not told; memory 66 MB and 66 MB; log lines 2 and 1, of which JSON 1 and 1" {
		t.Errorf("beside: %s", got)
	}
}

func TestShapes(t *testing.T) {
	const (
		node  = "2026-03-14T09:26:53.589Z\t3f2b8c1e-0000-4000-8000-0123456789ab\tINFO\torder 17 of 3 taken in 4.5 ms\n"
		other = "2027-01-02T10:20:30.001Z\t99999999-aaaa-4bbb-8ccc-ddddddddeeee\tINFO\torder 8 of 21 taken in 12 ms\n"
		start = "START RequestId: x Version: 1\n"
		end   = "END RequestId: x\nREPORT RequestId: x\tDuration: 1 ms\tMemory Size: 128 MB\n"
		cold  = "END RequestId: x\nREPORT RequestId: x\tDuration: 1 ms\tMemory Size: 128 MB\tInit Duration: 9 ms\n"
		same  = "the logs have the same shape"
	)
	long := strings.Repeat("padding that fills the log\n", 200)
	for name, test := range map[string]struct {
		was, is string
		ignore  []string
		lines   []string
		worse   bool
	}{
		"times, ids and numbers": {was: start + node + end, is: start + other + end, lines: []string{same}},
		"order":                  {was: start + node + "[WARNING]\tx\n" + end, is: start + "[WARNING]\tx\n" + other + end, lines: []string{same}},
		"other words": {was: start + node + end, is: start + strings.ReplaceAll(node, "taken", "secret") + end,
			lines: []string{"$log.text.INFO: text lines at INFO: 1 of 1 say something else, times, ids and numbers aside"}},
		"a line less": {was: start + "one\ntwo\n" + end, is: start + "one\n" + end, lines: []string{"$log.text: text lines: 2, now 1"}},
		"an error": {was: start + node + end, is: start + node + "[ERROR]\tboom\n" + end,
			lines: []string{"$log.text.ERROR: text lines at ERROR: 0, now 1"}, worse: true},
		"an error that is ignored": {was: start + end, is: start + "[ERROR]\tboom\n" + end, ignore: []string{"$log"}, lines: []string{same}},
		"an error that is gone":    {was: start + "[ERROR]\tboom\n" + end, is: start + end, lines: []string{"$log.text.ERROR: text lines at ERROR: 1, now 0"}},
		"keys": {was: start + `{"level":"warn","a":1,"id-7":2}` + "\n" + end, is: start + `{"a":"x","id-12345":0,"level":"warning"}` + "\n" + end,
			lines: []string{same}},
		"other keys": {was: start + `{"level":"INFO","a":1}` + "\n" + end, is: start + `{"level":"INFO","b":1}` + "\n" + end,
			lines: []string{"$log.JSON.INFO: JSON lines at INFO with a, level: 1, now 0", "$log.JSON.INFO: JSON lines at INFO with b, level: 0, now 1"}},
		"text for JSON": {was: start + `{"level":"ERROR"}` + "\n" + end, is: start + "[ERROR] x\n" + end, worse: true,
			lines: []string{"$log.JSON.ERROR: JSON lines at ERROR with level: 1, now 0", "$log.text.ERROR: text lines at ERROR: 0, now 1"}},
		"a level that is none": {was: start + `{"level":"plantedsecret"}` + "\n" + end, is: start + end,
			lines: []string{"$log.JSON: JSON lines with level: 1, now 0"}},
		"Lambda's own": {was: start + end, is: start + "END RequestId: x\n", lines: []string{"$log.REPORT: REPORT lines: 1, now 0"}},
		"a start": {was: start + end, is: "INIT_START Runtime Version: x\nloading\n" + start + cold,
			lines: []string{same, "lines written while the environment of the new image started, not compared because the other had started before: 1"}},
		"two starts": {was: "INIT_START x\nloading\n" + start + cold, is: "INIT_START x\n[ERROR] y\n" + start + cold, worse: true,
			lines: []string{"$log.text: text lines: 1, now 0", "$log.text.ERROR: text lines at ERROR: 0, now 1"}},
		"cut, too few": {was: start + "[ERROR] x\n" + end, is: long + end,
			lines: []string{"$log.text: text lines: 0, now 149", "only the last 4 KB of a log come with an answer, and the new image's is longer: lines before were not compared"}},
		"cut, too many": {was: long + end, is: start + "[ERROR] x\n" + long[:54] + end,
			lines: []string{"$log.text: text lines: 149, now 2", "only the last 4 KB of a log come with an answer, and the function's own is longer: lines before were not compared"}},
		"none": {was: "", is: start + end, lines: []string{"no log came with the answers, so the logs are not compared"}},
	} {
		t.Run(name, func(t *testing.T) {
			tail := func(s string) Log { return LogOf(answerWith(s[max(0, len(s)-logTail):])) }
			was, is := tail(test.was), tail(test.is)
			lines, worse := Shapes(&was, &is, test.ignore)
			if worse != test.worse || !slices.Equal(lines, test.lines) {
				t.Errorf("worse %v: %q", worse, lines)
			}
		})
	}
}
