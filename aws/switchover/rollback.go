package switchover

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// undoing is the prefix of a rollback's steps and facts.
const undoing = "undo:"

// Rollback puts the Zip function of a journal back, finished or not. Where the
// Zip function was never deleted it only takes back what was done around it.
// Otherwise it verifies the backup, rehearses the Zip function under a temporary
// name, deletes the image function and creates the Zip function again with
// everything attached. It refuses, with nothing changed, when the backup is
// damaged, when Lambda does not take the Zip function any more, or when the name
// belongs to a function that the migration did not make.
func (s *Switcher) Rollback(ctx context.Context, journal string, emit func(Event)) (*Result, error) {
	r, done, err := s.reopen(journal, emit)
	if err != nil {
		return nil, err
	}
	defer done()
	if r.j.ended == StateRolledBack {
		res := r.result(StateRolledBack)
		res.Message = "the migration is rolled back already"
		return res, nil
	}
	return r.rollback(ctx)
}

func (r *run) rollback(ctx context.Context) (*Result, error) {
	// How far the switch came is asked before the run is the rollback's own.
	err := r.survived(ctx)
	zipDeleted := r.deleted()
	r.prefix, r.image = undoing, false
	if err := r.begin(modeRollback); err != nil {
		return nil, err
	}
	var tasks []task
	if err == nil {
		err = r.survived(ctx)
	}
	if err == nil {
		tasks, err = r.backTasks(zipDeleted)
	}
	if err == nil {
		err = r.walk(ctx, tasks)
	}
	if err == nil && r.choices.Strategy == Refresh {
		return r.end(StateRolledBack, r.snap.Function+" runs the image it had before", nil, nil)
	}
	if err == nil {
		return r.end(StateRolledBack, r.snap.Function+" is the Zip function it was; images that were pushed stay in repository "+
			repositoryName(r.snap.Function, r.choices), nil, nil)
	}
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.s.patience)
	defer cancel()
	where := ""
	if r.choices.Strategy == Refresh {
		where = "the rollback is not finished; " + r.whereRefresh(detached)
	} else {
		where = r.unfinished(detached, zipDeleted)
	}
	state := StateFailed
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		state = StateStopped
	}
	return r.end(state, where, r.next("rollback"), r.scrub.fault(err))
}

// unfinished cleans up after a rollback that ended early and says where things
// stand.
func (r *run) unfinished(ctx context.Context, zipDeleted bool) string {
	var problems []error
	if _, err := cleanRehearsal(ctx, r); err != nil {
		problems = append(problems, err)
	}
	if !zipDeleted && !r.deleted() {
		if err := errors.Join(problems...); err != nil {
			return "the rollback is not finished: " + r.scrub.fault(err).Error()
		}
		return "the rollback is not finished; " + r.snap.Function + " was never deleted"
	}
	got, err := r.live(ctx, r.name, "")
	if r.deleted() || err != nil || got == nil {
		return r.afterDeletion(ctx, problems)
	}
	// The image function was not deleted: what was paused for it goes on.
	mappings, err := mappingsOf(r.snap)
	problems = append(problems, err)
	for _, m := range mappings {
		if m.on && r.j.wasSent(undoing+"mapping-off:"+m.uuid, "UpdateEventSourceMapping") && r.j.finished("mapping-on:"+m.uuid) {
			if _, err := r.mapping(ctx, m.uuid, "Enabled", ""); err != nil {
				problems = append(problems, err)
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return "the rollback is not finished, the image function was not deleted: " + r.scrub.fault(err).Error()
	}
	return "the rollback is not finished; the image function was not deleted"
}

// backTasks lists the way back from where the switch stands.
func (r *run) backTasks(zipDeleted bool) ([]task, error) {
	l := &lists{snap: r.snap, choices: r.choices, name: r.snap.Function, arn: r.snap.ARN, prefix: undoing}
	mappings, err := mappingsOf(r.snap)
	if err != nil {
		return nil, err
	}
	if r.choices.Strategy == Beside {
		// Its mappings come home before the function beside is deleted.
		for _, m := range mappings {
			if r.j.wasSent("mapping-move:"+m.uuid, "UpdateEventSourceMapping") {
				l.add("mapping:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" back to "+l.name+colon(m.qualifier), "", mappingHome(m))
			}
		}
		l.add("delete-beside", Delete, "DeleteFunction", besideName(l.name), "", deleteBeside)
		l.add("function", Keep, "local", l.arn+", untouched", "", keep)
		return l.tasks, nil
	}
	if r.choices.Strategy == Refresh {
		l.backRefresh()
		return l.tasks, nil
	}
	l.add("rehearse-clean", Delete, "DeleteFunction", "the temporary function", "", cleanRehearsal)
	if !zipDeleted {
		for _, m := range mappings {
			// What the switch never touched is somebody else's by now.
			if m.on && r.j.wasSent("mapping-off:"+m.uuid, "UpdateEventSourceMapping") {
				l.add("mapping-on:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to Enabled", "", mappingHome(m))
			}
		}
		l.add("function", Keep, "local", l.arn+", never deleted", "", keep)
		return l.tasks, nil
	}
	l.add("backup", Keep, "local", "code and layers against their SHA-256", "", checkBackup)
	if err := l.stashing(); err != nil {
		return nil, err
	}
	l.add("layers", Keep, "GetLayerVersion", "every layer can still be attached", "", checkLayers)
	l.add("rehearse", Create, "CreateFunction", "a temporary function from the zips", "DeleteFunction", rehearseZip)
	l.add("rehearse-end", Delete, "DeleteFunction", "the temporary function", "", cleanRehearsal)
	turn := len(l.tasks)
	for _, m := range mappings {
		if m.on {
			l.add("mapping-off:"+m.uuid, Change, "UpdateEventSourceMapping", m.uuid+" to Disabled", "", mappingOff(m))
		}
	}
	l.add("delete-function", Delete, "DeleteFunction", l.arn+", the image", "optlift rollback", deleteImage)
	l.turns(turn)
	l.add("create-function", Create, "CreateFunction", l.arn+" from its zip", "", createFunction)
	if err := l.attach(""); err != nil {
		return nil, err
	}
	l.mappingsBack(mappings)
	l.add("verify", Keep, "local", "every attachment against the snapshot", "", verify)
	return l.tasks, nil
}

// mappingHome gives a mapping its old state and target back; its version was
// never renumbered.
func mappingHome(m mapping) func(context.Context, *run) (outcome, error) {
	return func(ctx context.Context, r *run) (outcome, error) {
		return r.mapping(ctx, m.uuid, m.state(), r.snap.ARN+colon(m.qualifier))
	}
}

// checkLayers makes sure, before the image function is deleted, that the Zip
// function can have its layers.
func checkLayers(ctx context.Context, r *run) (outcome, error) {
	for _, a := range r.snap.All(snapshot.KindLayer) {
		want, err := snapshot.Decode[snapshot.LayerValue](a.Value)
		if err != nil {
			return outcome{}, err
		}
		got, err := absent(r.api.GetLayerVersionByArn(ctx, &lambda.GetLayerVersionByArnInput{Arn: &a.Name}))
		if err != nil {
			return outcome{}, fmt.Errorf("look at layer %s: %w", a.Name, err)
		}
		if got == nil || got.Content == nil || aws.ToString(got.Content.CodeSha256) != want.CodeSha256 {
			file, err := r.file(want.CodeSha256)
			if err != nil {
				return outcome{}, err
			}
			return outcome{}, fmt.Errorf("layer %s was deleted since: no function can be given it again; nothing was changed by this rollback; its archive is kept in %s, to be published as a new layer version", a.Name, file)
		}
	}
	return outcome{note: plural(len(r.snap.All(snapshot.KindLayer)), "layer")}, nil
}

// deleteImage deletes the image function of the switch, if it stands in the way.
func deleteImage(ctx context.Context, r *run) (outcome, error) {
	got, err := r.live(ctx, r.name, "")
	if err != nil {
		return outcome{}, err
	}
	if got == nil && !r.deleted() && r.j.wasSent("create-function", "CreateFunction") {
		// Reads may not find yet what was just made.
		err := poll(ctx, r.s.lag, func(ctx context.Context) (bool, error) {
			got, err = r.live(ctx, r.name, "")
			return got != nil, err
		})
		if err != nil && !errors.Is(err, errPatience) {
			return outcome{}, err
		}
	}
	if got == nil && !r.deleted() {
		// The switch had deleted the Zip function and made nothing yet.
		return outcome{skipped: true}, errors.Join(r.j.set(r.prefix+deleting, "yes"), r.j.set(r.prefix+gone, "yes"))
	}
	return r.remove(ctx, r.mustBeOurs)
}

// mustBeOurs refuses a function that is not the switch's image function.
func (r *run) mustBeOurs(got *lambda.GetFunctionOutput) error {
	made, err := r.made(got, true)
	if err == nil && !made {
		err = fmt.Errorf("function %s is not the one that this migration made: it was left alone; the backup is kept", r.name)
	}
	return err
}

// deleteBeside deletes the function beside, if the switch made it.
func deleteBeside(ctx context.Context, r *run) (outcome, error) {
	name := besideName(r.snap.Function)
	got, err := r.live(ctx, name, "")
	if err != nil || got == nil {
		return outcome{skipped: true}, err
	}
	made, err := r.made(got, true)
	if err != nil {
		return outcome{}, err
	}
	if !made {
		return outcome{skipped: true, note: name + " was not made by this migration and stays"}, nil
	}
	out, err := r.ensure(ctx, "DeleteFunction", name,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, name, "")
			return got == nil, err
		},
		func(ctx context.Context) error {
			_, err := absent(r.api.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &name}))
			return err
		})
	if err != nil {
		return out, err
	}
	return out, r.waitGone(ctx, name)
}
