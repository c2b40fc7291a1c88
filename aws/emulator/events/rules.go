package events

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// retryWait is how long Lambda waits after the n-th function error: a minute
// after the first, two after the second (invocation-async-error-handling.html).
func retryWait(n int) time.Duration { return time.Duration(n) * time.Minute }

// throttleWait is how long it waits after the n-th throttled attempt in a row:
// from a second, exponentially, up to five minutes (same page).
func throttleWait(n int) time.Duration {
	const most = 5 * time.Minute
	if n > 9 { // 2^9 s is more than that
		return most
	}
	return min(time.Second<<(n-1), most)
}

// after applies what an attempt came to: the event waits for its next attempt, or
// has ended.
func (e *Event) after(o Outcome, now time.Time) {
	switch {
	case o.Gone != "":
		// What becomes of the events of a deleted function is published nowhere.
		e.end(Dropped, o.Gone, now)
		return
	case o.Refused != "":
		e.end(NotRun, o.Refused, now)
		return
	case o.Zero:
		e.finish(ZeroReservedConcurrency, o, now)
		return
	case o.Expired:
		e.finish(EventAgeExceeded, o, now)
		return
	case o.Throttled:
		e.Throttles++
		e.Due = now.Add(throttleWait(e.Throttles))
	case o.FunctionError == "":
		e.Invocations, e.ExecutedVersion = e.Invocations+1, o.Version
		e.finish(Success, o, now)
		return
	default:
		e.Invocations, e.Throttles, e.ExecutedVersion = e.Invocations+1, 0, o.Version
		if e.Invocations > o.Settings.Retries {
			e.finish(RetriesExhausted, o, now)
			return
		}
		e.Due = now.Add(retryWait(e.Invocations))
	}
	// An event that would be too old at its next attempt is given up at once
	// (recorded in LocalStack's test_maxeventage).
	if e.Due.Sub(e.Queued) > o.Settings.Age {
		e.finish(EventAgeExceeded, o, now)
	}
}

func (e *Event) end(condition, note string, now time.Time) {
	e.Condition, e.Note, e.Ended, e.Due = condition, note, now, time.Time{}
}

// finish ends the event and says what is sent: to a dead-letter queue and an
// on-failure destination both, where both are configured (both are
// documented, neither is said to replace the other). What they hold is recorded
// in LocalStack's test_retries and test_dead_letter_queue.
func (e *Event) finish(condition string, o Outcome, now time.Time) {
	e.end(condition, "", now)
	to, kind, detail := o.Settings.OnFailure, OnFailure, "Failure"
	if condition == Success {
		to, kind, detail = o.Settings.OnSuccess, OnSuccess, "Success"
	}
	if to != "" {
		d := Delivery{Kind: kind, To: to, Message: e.record(o, now)}
		switch service(to) {
		case "events":
			d.DetailType = "Lambda Function Invocation Result - " + detail
		case "s3":
			d.Key = "aws/lambda/async/" + e.Function + "/" + now.UTC().Format("2006/01/02/2006-01-02T15.04.05") + "-" + uuid()
		}
		e.send(d)
	}
	if o.Settings.DeadLetter != "" && condition != Success {
		e.send(Delivery{Kind: DeadLetter, To: o.Settings.DeadLetter, Message: e.Payload, Attributes: e.attributes(o)})
	}
}

// mostSNS is the largest message SNS takes, in bytes
// (invocation-async-retain-records.html).
const mostSNS = 256 << 10

// send adds a delivery, with the reason where it can be told that it fails.
func (e *Event) send(d Delivery) {
	switch s := service(d.To); {
	case (s == "sqs" || s == "sns") && strings.HasSuffix(d.To, ".fifo"):
		d.Error = "FIFO queues and topics are no destinations." // same page
	case s == "sns" && len(d.Message) > mostSNS:
		d.Error = fmt.Sprintf("SNS takes %d bytes, the message has %d.", mostSNS, len(d.Message))
	}
	e.Deliveries = append(e.Deliveries, d)
}

func service(arn string) string {
	if p := strings.SplitN(arn, ":", 4); len(p) == 4 {
		return p[2]
	}
	return ""
}

// record is an invocation record, as in the example of
// invocation-async-retain-records.html. Without a run there is no response in it.
func (e *Event) record(o Outcome, now time.Time) json.RawMessage {
	type requestContext struct {
		RequestID   string `json:"requestId"`
		FunctionARN string `json:"functionArn"`
		Condition   string `json:"condition"`
		Count       int    `json:"approximateInvokeCount"`
	}
	type responseContext struct {
		StatusCode    int    `json:"statusCode"`
		Version       string `json:"executedVersion"`
		FunctionError string `json:"functionError,omitempty"`
	}
	r := struct {
		Version   string           `json:"version"`
		Timestamp string           `json:"timestamp"`
		Request   requestContext   `json:"requestContext"`
		Payload   json.RawMessage  `json:"requestPayload"`
		Response  *responseContext `json:"responseContext,omitempty"`
		Answer    json.RawMessage  `json:"responsePayload,omitempty"`
	}{"1.0", now.UTC().Format("2006-01-02T15:04:05.000Z"), requestContext{e.ID, e.ARN, e.Condition, e.Invocations}, e.Payload, nil, nil}
	if o.Version != "" {
		r.Response, r.Answer = &responseContext{200, o.Version, o.FunctionError}, o.Payload
	}
	text, err := json.Marshal(r)
	if err != nil { // the function answered what is no JSON: Lambda can't have let it
		return nil
	}
	return text
}

// mostMessage is how much of an error's message a dead letter has, in bytes
// (invocation-async-retain-records.html).
const mostMessage = 1 << 10

// attributes are those of a dead letter (same page).
func (e *Event) attributes(o Outcome) map[string]string {
	code, message := 200, ""
	var answer struct {
		Message string `json:"errorMessage"`
	}
	switch {
	case o.FunctionError != "":
		if json.Unmarshal(o.Payload, &answer) == nil {
			message = answer.Message
		}
	case o.Throttled, o.Zero:
		code, message = 429, "Rate Exceeded."
	}
	if len(message) > mostMessage {
		message = strings.ToValidUTF8(message[:mostMessage], "")
	}
	return map[string]string{"RequestID": e.ID, "ErrorCode": strconv.Itoa(code), "ErrorMessage": message}
}

// uuid makes a random UUID, version 4.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
