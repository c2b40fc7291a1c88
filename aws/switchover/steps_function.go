package switchover

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/settings"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// keep does nothing: the plan shows what stays.
func keep(context.Context, *run) (outcome, error) { return outcome{skipped: true}, nil }

// errMoved is a function that somebody else has changed.
var errMoved = errors.New("somebody else changed the function since it was captured: nothing was deleted; make a new plan")

// checkRevision makes sure that the function, and everything attached to it, is
// still what was captured.
func checkRevision(ctx context.Context, r *run) (outcome, error) {
	return outcome{note: "unchanged since it was captured"}, errors.Join(r.unmoved(ctx), r.sameAttachments(ctx))
}

func (r *run) unmoved(ctx context.Context) error {
	got, err := r.live(ctx, r.snap.Function, "")
	switch {
	case err != nil:
		return err
	case got == nil:
		return fmt.Errorf("function %s is gone: somebody else deleted it", r.snap.Function)
	case r.refreshed(got):
		return nil
	case aws.ToString(got.Configuration.RevisionId) != r.snap.RevisionID,
		aws.ToString(got.Configuration.CodeSha256) != r.snap.CodeSHA256:
		return fmt.Errorf("function %s: %w", r.snap.Function, errMoved)
	}
	return nil
}

// gapStart and gapEnd are the facts between which the name did not answer.
const (
	gapStart = "gap-start"
	gapEnd   = "gap-end"
)

func (r *run) stamp(key string) error {
	return r.j.set(r.prefix+key, time.Now().UTC().Format(time.RFC3339Nano))
}

// deleteZip deletes the captured function, after a last look at it.
func deleteZip(ctx context.Context, r *run) (outcome, error) {
	return r.remove(ctx, func(*lambda.GetFunctionOutput) error { return r.unmoved(ctx) })
}

// The facts of a deletion: deleting is "yes" from before the call until the
// function is seen alive, gone once it was seen to be away.
const (
	deleting = "deleting"
	gone     = "gone"
)

// deleted reports whether this run, or one before it, has deleted the function,
// or may have. From then on stopping would leave callers without one.
func (r *run) deleted() bool { return r.j.fact(r.prefix+deleting) == "yes" }

// survived finds out whether a deletion that was asked for has come to nothing.
func (r *run) survived(ctx context.Context) error {
	if !r.deleted() || r.j.fact(r.prefix+gone) != "" {
		return nil
	}
	got, err := r.live(ctx, r.name, "")
	if err != nil || got == nil {
		return err
	}
	// A switch deletes a zip, a rollback an image.
	if isImage := got.Configuration.PackageType == types.PackageTypeImage; isImage == r.image {
		return r.j.set(r.prefix+gone, "yes")
	}
	return r.j.set(r.prefix+deleting, "no")
}

// remove deletes the function of the run's name once fit agrees, and waits until
// it is gone. After the call nothing cuts the wait off.
func (r *run) remove(ctx context.Context, fit func(*lambda.GetFunctionOutput) error) (outcome, error) {
	if r.j.fact(r.prefix+gone) != "" {
		// What lives under the name now was made afterwards.
		return outcome{skipped: true}, nil
	}
	got, err := r.live(ctx, r.name, "")
	switch {
	case err != nil:
		return outcome{}, err
	case got == nil && !r.deleted():
		return outcome{}, fmt.Errorf("function %s is gone: somebody else deleted it", r.name)
	case got == nil:
		return outcome{skipped: true}, r.j.set(r.prefix+gone, "yes")
	}
	if err := errors.Join(fit(got), ctx.Err()); err != nil {
		return outcome{}, err
	}
	if err := errors.Join(r.stamp(gapStart), r.j.set(r.prefix+deleting, "yes")); err != nil {
		return outcome{}, err
	}
	_, err = r.ensure(ctx, "DeleteFunction", r.arn,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, r.name, "")
			return got == nil, err
		},
		func(ctx context.Context) error {
			_, err := r.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &r.name})
			var gone *types.ResourceNotFoundException
			if errors.As(err, &gone) {
				return nil // an earlier try of this call did it
			}
			return err
		})
	if err != nil {
		return outcome{}, errors.Join(err, r.survived(context.WithoutCancel(ctx)))
	}
	if err := r.waitGone(r.undisturbed(ctx), r.name); err != nil {
		return outcome{}, err
	}
	return outcome{}, r.j.set(r.prefix+gone, "yes")
}

// createFunction makes the function with $LATEST's code and configuration, so
// that the name runs nothing else from its first moment on.
func createFunction(ctx context.Context, r *run) (outcome, error) {
	in, err := r.create()
	if err != nil {
		return outcome{}, err
	}
	out, err := r.createAs(ctx, in, r.image)
	if err != nil {
		return outcome{}, err
	}
	changes, err := mended(r.snap)
	if err == nil && !changes {
		err = r.endGap()
	}
	return out, err
}

// endGap notes when the name answered again, once.
func (r *run) endGap() error {
	if r.j.fact(r.prefix+gapStart) == "" || r.j.fact(r.prefix+gapEnd) != "" {
		return nil
	}
	return r.stamp(gapEnd)
}

func (r *run) create() (*lambda.CreateFunctionInput, error) {
	c, err := r.config("")
	if err != nil {
		return nil, err
	}
	of, err := r.code("")
	if err != nil {
		return nil, err
	}
	tags, err := r.tags()
	if err != nil {
		return nil, err
	}
	return settings.CreateInput(r.name, c, of, tags), nil
}

// tags are the user's, and ours on an image function where there is room.
func (r *run) tags() (map[string]string, error) {
	tags, err := r.snap.UserTags()
	if err != nil || !r.image {
		return tags, err
	}
	c, err := r.snap.ConfigOf("")
	if err != nil {
		return nil, err
	}
	ours := ourTags(r.j.start.ID, c)
	if len(tags)+len(ours) <= maxTags {
		for k, v := range ours {
			tags[k] = v
		}
	}
	return tags, nil
}

// ourTags are added to an image function, so that an inventory can still see
// what it was.
func ourTags(id string, c types.FunctionConfiguration) map[string]string {
	tags := map[string]string{"optlift:migration": id}
	if c.Runtime != "" {
		tags["optlift:source-runtime"] = string(c.Runtime)
	}
	return tags
}

// maxTags is the number of tags a resource may carry
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html).
const maxTags = 50

// createAs makes a function and waits until it is Active. One that became Failed
// in an earlier run is deleted first, as AWS asks for
// (https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html).
func (r *run) createAs(ctx context.Context, in *lambda.CreateFunctionInput, image bool) (outcome, error) {
	name := aws.ToString(in.FunctionName)
	got, err := r.ours(ctx, name, image)
	if err != nil {
		return outcome{}, err
	}
	if got != nil && got.Configuration.State == types.StateFailed {
		err := r.mutate(ctx, "DeleteFunction", name, func(ctx context.Context) error {
			_, err := r.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name})
			return err
		})
		if err != nil {
			return outcome{}, fmt.Errorf("delete the failed function %s: %w", name, err)
		}
		if err := r.waitGone(ctx, name); err != nil {
			return outcome{}, err
		}
	}
	out, err := r.ensure(ctx, "CreateFunction", name,
		func(ctx context.Context) (bool, error) {
			got, err := r.ours(ctx, name, image)
			return got != nil, err
		},
		func(ctx context.Context) error {
			_, err := r.api.CreateFunction(ctx, in)
			return err
		})
	if err != nil {
		return outcome{}, err
	}
	return out, r.waitActive(ctx, name, "")
}

// ours reads a function that must be one this run made, or none.
func (r *run) ours(ctx context.Context, name string, image bool) (*lambda.GetFunctionOutput, error) {
	got, err := r.live(ctx, name, "")
	if err != nil || got == nil {
		return nil, err
	}
	made, err := r.made(got, image)
	if err == nil && !made {
		err = fmt.Errorf("a function %s exists that this migration did not make: it was left alone", name)
	}
	return got, err
}

// settle gives a function the code and settings of version q, leaving its
// description alone.
func (r *run) settle(ctx context.Context, name, q string, described bool) error {
	want, err := r.config(q)
	if err != nil {
		return err
	}
	got, err := r.live(ctx, name, "")
	if err != nil {
		return err
	}
	if got == nil {
		return fmt.Errorf("function %s is gone", name)
	}
	if !described {
		want.Description = got.Configuration.Description
	}
	have := *got.Configuration
	_, err = r.ensure(ctx, "UpdateFunctionConfiguration", name,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, name, "")
			if err != nil || got == nil {
				return false, err
			}
			have = *got.Configuration
			return settings.Same(have, want, r.image), nil
		},
		func(ctx context.Context) error {
			_, err := r.api.UpdateFunctionConfiguration(ctx, settings.UpdateInput(name, want, have, r.image))
			return err
		})
	if err != nil {
		return err
	}
	if err := r.waitActive(ctx, name, ""); err != nil {
		return err
	}
	of, err := r.code(q)
	if err != nil {
		return err
	}
	_, err = r.ensure(ctx, "UpdateFunctionCode", name,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, name, "")
			if err != nil || got == nil {
				return false, err
			}
			return r.hasCode(got, q, r.image)
		},
		func(ctx context.Context) error {
			in := &lambda.UpdateFunctionCodeInput{FunctionName: &name, Architectures: want.Architectures, ZipFile: of.Zip}
			if of.Image != "" {
				in.ImageUri = &of.Image
			}
			if of.Bucket != "" {
				in.S3Bucket, in.S3Key = &of.Bucket, &of.Key
			}
			if of.KMSKey != "" {
				in.SourceKMSKeyArn = &of.KMSKey
			}
			_, err := r.api.UpdateFunctionCode(ctx, in)
			return err
		})
	if err != nil {
		return err
	}
	return r.waitActive(ctx, name, "")
}

// hold keeps the name from running while it goes through its older versions.
func hold(ctx context.Context, r *run) (outcome, error) { return r.concurrency(ctx, 0) }

// settleLatest gives the function its newest code and settings back.
func settleLatest(ctx context.Context, r *run) (outcome, error) {
	return outcome{}, r.settle(ctx, r.name, "", true)
}

// reserve sets reserved concurrency; 0 is a value of its own, which throttles
// every invocation.
func reserve(a snapshot.Attachment) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		want, err := snapshot.Decode[lambda.GetFunctionConcurrencyOutput](a.Value)
		if err != nil || want.ReservedConcurrentExecutions == nil {
			return outcome{}, errors.Join(err, fmt.Errorf("the snapshot holds no number for the %s", a.What()))
		}
		out, err := r.concurrency(ctx, *want.ReservedConcurrentExecutions)
		if err != nil {
			return out, err
		}
		return out, r.endGap()
	}
}

func (r *run) concurrency(ctx context.Context, n int32) (outcome, error) {
	return r.ensure(ctx, "PutFunctionConcurrency", r.name+" to "+strconv.Itoa(int(n)),
		func(ctx context.Context) (bool, error) {
			got, err := r.api.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &r.name})
			return err == nil && got.ReservedConcurrentExecutions != nil && *got.ReservedConcurrentExecutions == n, err
		},
		func(ctx context.Context) error {
			_, err := r.api.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{
				FunctionName: &r.name, ReservedConcurrentExecutions: &n})
			return err
		})
}

// release takes the hold away from a function that had no reserved concurrency.
func release(ctx context.Context, r *run) (outcome, error) {
	out, err := r.ensure(ctx, "DeleteFunctionConcurrency", r.name,
		func(ctx context.Context) (bool, error) {
			got, err := r.api.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &r.name})
			return err == nil && got.ReservedConcurrentExecutions == nil, err
		},
		func(ctx context.Context) error {
			_, err := r.api.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: &r.name})
			return err
		})
	if err != nil {
		return out, err
	}
	return out, r.endGap()
}
