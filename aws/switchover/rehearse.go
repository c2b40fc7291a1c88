package switchover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sort"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// The fact under which the temporary function's name is kept, from before it is
// made until it is gone. A rollback has its own.
const rehearsal = "rehearsal"

// acceptRehearsal is what a user accepts to go on with results that differ.
const acceptRehearsal = "rehearsal-differs"

// rehearse makes a temporary function with the image and the whole
// configuration, minus whatever would invoke it. Lambda reads an image only when
// a function is made of it, so each image is tried here, before anything is
// deleted. The next step, or whatever ends the run, deletes the function.
func rehearse(ctx context.Context, r *run) (outcome, error) {
	name, images, err := r.tryOut(ctx)
	if stopped(ctx, err) {
		return outcome{}, err // nobody has refused anything
	}
	if err != nil {
		return outcome{}, fmt.Errorf("rehearse under the temporary name %s: Lambda does not take it, the function stays as it is: %w", name, err)
	}
	return r.compare(ctx, name, fmt.Sprintf("%s became Active under the temporary name %s", plural(images, "image"), name))
}

// rehearseZip tries, before the image function is deleted, whether Lambda still
// takes the Zip function: its runtime, its layers and its size. Where there is no
// function to lose, the real creation is the trial.
func rehearseZip(ctx context.Context, r *run) (outcome, error) {
	got, err := r.live(ctx, r.name, "")
	if err != nil || got == nil || got.Configuration.PackageType != types.PackageTypeImage {
		return outcome{skipped: true}, err
	}
	if err := r.mustBeOurs(got); err != nil {
		return outcome{}, err
	}
	name, zips, err := r.tryOut(ctx)
	if stopped(ctx, err) {
		return outcome{}, err
	}
	if err != nil {
		return outcome{}, fmt.Errorf("the Zip function is not taken by Lambda any more, tried under the temporary name %s; the image function stays, the backup is kept: %w", name, err)
	}
	note := fmt.Sprintf("%s became Active under the temporary name %s", plural(zips, "zip"), name)
	if was := r.j.fact(verified); was != "" && was != aws.ToString(got.Configuration.RevisionId) {
		note += "; the image function has changed since the switch, and what was changed is not carried back"
	}
	return outcome{note: note}, nil
}

// tryOut makes a temporary function and takes it through everything that the
// real one will be made of.
func (r *run) tryOut(ctx context.Context) (name string, tried int, err error) {
	name = suffixed(r.snap.Function, "-optlift-"+r.j.start.ID[len(r.j.start.ID)-6:])
	if err := r.j.set(r.prefix+rehearsal, name); err != nil {
		return name, 0, err
	}
	in, err := r.create()
	if err != nil {
		return name, 0, err
	}
	in.FunctionName, in.Tags = &name, map[string]string{"optlift:rehearsal": r.j.start.ID}
	if r.choices.Strategy == Refresh {
		if err := keepImageConfig(in, r.snap); err != nil {
			return name, 0, err
		}
	}
	if _, err := r.createAs(ctx, in, r.image); err != nil {
		return name, 0, err
	}
	builds, err := buildsOf(r.snap)
	if err != nil {
		return name, 0, err
	}
	if r.choices.Strategy == Refresh {
		builds = builds[:1] // published versions keep their images
	}
	for _, b := range builds[1:] {
		if err := r.settle(ctx, name, b.qualifiers[0], false); err != nil {
			return name, 0, fmt.Errorf("version %s: %w", b.qualifiers[0], err)
		}
	}
	if len(builds) > 1 && len(r.choices.Events) > 0 {
		err = r.settle(ctx, name, "", false)
	}
	return name, len(builds), err
}

// rehearseBeside compares the new function with the old one where it is.
func rehearseBeside(ctx context.Context, r *run) (outcome, error) {
	return r.compare(ctx, r.name, r.name+" is Active")
}

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
			facts = append(facts, Fact{"event", filepath.Base(file) + ": not comparable, because this endpoint can't run the function"})
			continue
		}
		d := differ(was, is)
		facts = append(facts, Fact{"event", compared(file, was, is, d)})
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
		facts = append(facts, Fact{"event", "none was given, so no answers were compared"})
	}
	return outcome{note: note, facts: facts}, nil
}

// stopped tells an end that the user asked for.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

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
	return fmt.Sprintf("%s: %s; %d bytes from the Zip function, %d from the image", filepath.Base(file), difference, len(was.Payload), len(is.Payload))
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
// journal.
func (r *run) invoke(ctx context.Context, name string, payload []byte) (out *lambda.InvokeOutput, err error) {
	err = r.upload(ctx, "Invoke", name, func(ctx context.Context) (err error) {
		out, err = r.api.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload,
			InvocationType: types.InvocationTypeRequestResponse}, func(o *lambda.Options) { o.RetryMaxAttempts = 1 })
		return err
	})
	if err != nil {
		err = fmt.Errorf("invoke %s: %w", name, err)
	}
	return out, err
}

// differ says where two answers differ, without their values: those may be secret.
func differ(was, is *lambda.InvokeOutput) string {
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
	if at := firstDifference(a, b, "$"); at != "" {
		return "the payloads differ at " + at
	}
	return ""
}

// firstDifference is the path of the first difference of two JSON values, "" for none.
func firstDifference(a, b any, at string) string {
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
			if inA != inB {
				return at + "." + k
			}
			if d := firstDifference(x, y, at+"."+k); d != "" {
				return d
			}
		}
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return at
		}
		for i := range a {
			if d := firstDifference(a[i], b[i], at+"["+strconv.Itoa(i)+"]"); d != "" {
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

// cleanRehearsal deletes the temporary functions of the switch and of its
// rollback, whatever became of them.
func cleanRehearsal(ctx context.Context, r *run) (outcome, error) {
	forth, err := r.cleanTrial(ctx, "", true)
	back, errBack := r.cleanTrial(ctx, undoing, false)
	return outcome{skipped: forth.skipped && back.skipped, note: forth.note + back.note}, errors.Join(err, errBack)
}

// cleanTrial deletes one temporary function. A function that this migration did
// not make is left alone.
func (r *run) cleanTrial(ctx context.Context, prefix string, image bool) (outcome, error) {
	name := r.j.fact(prefix + rehearsal)
	if name == "" {
		return outcome{skipped: true}, nil
	}
	got, err := r.live(ctx, name, "")
	if err != nil {
		return outcome{}, err
	}
	// Reads may not find yet what was just made. The name was free before, and
	// nobody else knows it.
	ours := got == nil && r.j.wasSent(prefix+"rehearse", "CreateFunction")
	if got != nil {
		if ours, err = r.made(got, image); err != nil {
			return outcome{}, err
		}
	}
	if ours {
		err := r.mutate(ctx, "DeleteFunction", name, func(ctx context.Context) error {
			_, err := absent(r.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))
			return err
		})
		if err != nil {
			return outcome{}, fmt.Errorf("delete the temporary function %s: %w", name, err)
		}
		if err := r.waitGone(ctx, name); err != nil {
			return outcome{}, err
		}
	}
	return outcome{skipped: !ours, note: name}, r.j.set(prefix+rehearsal, "")
}
