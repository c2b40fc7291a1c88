package switchover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/answer"
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
		if answer.NotRunnable(was) || answer.NotRunnable(is) {
			strange++
			facts = append(facts, Fact{FactEvent, filepath.Base(file) + ": not comparable, because this endpoint can't run the function"})
			continue
		}
		wasLog, isLog := answer.LogOf(was), answer.LogOf(is)
		d := answer.Differ(was, is, r.choices.Ignore)
		facts = append(facts, Fact{FactEvent, compared(file, was, is, d)}, Fact{FactRun, wasLog.Beside(&isLog)})
		if d != "" {
			differences = append(differences, fmt.Errorf("event %s: %s", file, d))
		}
		shapes, worse := answer.Shapes(&wasLog, &isLog, r.choices.Ignore)
		for _, line := range shapes {
			facts = append(facts, Fact{FactLog, filepath.Base(file) + ": " + line})
		}
		if worse {
			differences = append(differences, fmt.Errorf("event %s: the new image logs errors that the function does not: %s", file, strings.Join(shapes, "; ")))
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

// The facts of a rehearsal: how the answers to an event compare, what was measured
// beside them, and how the shapes of the logs compare.
const (
	FactEvent = "event"
	FactRun   = "run"
	FactLog   = "log"
)

// Compared reports whether a fact is what people rehearse for, which is told
// wherever the step is.
func (f Fact) Compared() bool {
	return f.Name == FactEvent || f.Name == FactRun || f.Name == FactLog
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
