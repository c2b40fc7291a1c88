package switchover

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	return r.compare(ctx, name, fmt.Sprintf("%s became Active under the temporary name %s%s", plural(images, "image"), name, r.activeAfter))
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
	began := time.Now()
	out, err := r.createAs(ctx, in, r.image)
	if err != nil {
		return name, 0, err
	}
	if !out.skipped {
		r.activeAfter = fmt.Sprintf(", after %s", time.Since(began).Round(10*time.Millisecond))
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

// stopped tells an end that the user asked for.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
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
