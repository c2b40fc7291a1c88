package switchover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// refresh lists the steps that give an image function a new image: the same
// backup, build, proof and rehearsal as for a switch, but the function is only
// updated, so its name answers throughout and nothing hangs in the air. Published
// versions keep the image they were published with.
func (l *lists) refresh() error {
	o := l.choices.Origin
	if o == nil {
		return errors.New("a refresh was planned without saying what the image is made from")
	}
	const undo = "UpdateFunctionCode to the image before"
	repo := repositoryName(l.snap.Function, l.choices)
	l.add("backup", Create, "local", fmt.Sprintf("code, %s, the snapshot", plural(len(o.Layers), "layer")), "", keepSources)
	l.add("repository", Keep, "CreateRepository", repo, "", ensureRepository)
	l.add("image:"+snapshot.Latest, Create, "PutImage", repo, "", buildImage(build{qualifiers: []string{snapshot.Latest}}))
	l.add("rehearse", Create, "CreateFunction", "a temporary function with this configuration and the new image", "DeleteFunction", rehearse)
	l.add("rehearse-clean", Delete, "DeleteFunction", "the temporary function", "", cleanRehearsal)
	l.add("check-revision", Keep, "GetFunction", l.arn, "", checkUnmoved)
	l.add(updateCode, Change, "UpdateFunctionCode", l.arn, undo, giveImage)
	l.add("verify", Keep, "local", "every attachment against the snapshot", "", verifyRefresh)
	return nil
}

// updateCode is the step that gives the function its new image.
const updateCode = "update-code"

// refreshable holds an image function's snapshot against what goes wrong with a
// refresh. It asks nobody.
func (n *notices) refreshable(s *Snapshot, f types.FunctionConfiguration) {
	if f.PackageType != types.PackageTypeImage {
		n.refuse("not-image", "%s is no container image: optlift migrate makes it one", s.Function)
		return
	}
	switch f.State {
	case "", types.StateActive, types.StateInactive:
	default:
		n.refuse("not-active", "the function is %s, not Active: wait, or repair it first", f.State)
	}
	if f.LastUpdateStatus == types.LastUpdateStatusInProgress {
		n.refuse("not-active", "an update of the function is in progress: wait until it is done")
	}
	if f.Environment != nil && f.Environment.Error != nil {
		n.refuse("environment-unreadable", "the environment of %s can't be decrypted: %s", s.Function, aws.ToString(f.Environment.Error.Message))
	}
	if former(s) == "" {
		n.refuse("image-unreadable", "which image %s runs can't be read, so there would be no way back", s.Function)
	}
	if stack, _ := StackOf(s); stack != "" {
		n.warn(StackManaged, "CloudFormation stack %s manages the function: its next update puts the template's image back", stack)
	}
	for _, a := range s.All(snapshot.KindAlias) {
		alias, err := snapshot.Decode[types.AliasConfiguration](a.Value)
		if v := aws.ToString(alias.FunctionVersion); err == nil && v != snapshot.Latest {
			n.warn("alias", "alias %s stays on version %s and its image: publish a version and move the alias when the new image has proved itself", a.Name, v)
		}
	}
}

// stackOf are the name of the CloudFormation stack that manages a function, "" for
// none, and what its template calls it.
// former is the image that the function ran when it was captured, pinned by digest.
func former(s *Snapshot) string {
	a, found := s.One(snapshot.KindCode, "")
	if !found || a.Reading != snapshot.Present {
		return ""
	}
	where, err := snapshot.Decode[types.FunctionCodeLocation](a.Value)
	if err != nil {
		return ""
	}
	for _, ref := range []string{aws.ToString(where.ResolvedImageUri), aws.ToString(where.ImageUri)} {
		if digestOf(ref) != "" {
			return ref
		}
	}
	return ""
}

// keepSources copies the archives that the image is made from into the backup, so
// that this run can be resumed, and the next refresh made, without the files they
// came from.
func keepSources(ctx context.Context, r *run) (outcome, error) {
	o := r.choices.Origin
	skipped := true
	for _, a := range append([]Archive{o.Code}, o.Layers...) {
		k := kept{name: a.Name, file: a.file(r.s.config.StateDir, r.j.start.ID), sum: a.SHA256}
		if k.verify() == nil {
			continue
		}
		skipped = false
		err := copyFile(ctx, a.From, k.file)
		if err == nil {
			err = k.verify()
		}
		if errors.Is(err, errOtherHash) {
			err = fmt.Errorf("%s was changed since the plan was made", a.From)
		}
		if err != nil {
			return outcome{}, fmt.Errorf("back up %s: %w", a.Name, err)
		}
	}
	return outcome{skipped: skipped, note: plural(1+len(o.Layers), "archive") + ", verified by SHA-256"},
		SyncDir(filepath.Join(r.s.config.StateDir, backupDir, r.j.start.ID))
}

// copyFile copies a file, owner-only; it appears whole or not at all.
func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	tmp, err := os.CreateTemp(filepath.Dir(to), ".copy-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // fails once renamed
	_, err = io.Copy(tmp, reading{ctx, in})
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), to)
}

// reading is a reader that ends with its context.
type reading struct {
	ctx context.Context
	io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// keepImageConfig gives a temporary function what an image function may say over
// its image: the command, the entry point, the directory.
func keepImageConfig(in *lambda.CreateFunctionInput, s *Snapshot) error {
	c, err := s.ConfigOf("")
	if err == nil && c.ImageConfigResponse != nil {
		in.ImageConfig = c.ImageConfigResponse.ImageConfig
	}
	return err
}

// checkUnmoved makes sure that the function is still what was captured, or has
// the new image already.
func checkUnmoved(ctx context.Context, r *run) (outcome, error) {
	return outcome{note: "unchanged since it was captured"}, r.unmoved(ctx)
}

// refreshed reports whether a live function has been given this refresh's image.
func (r *run) refreshed(got *lambda.GetFunctionOutput) bool {
	if r.choices.Strategy != Refresh || r.j == nil || !r.j.wasSent(updateCode, "UpdateFunctionCode") {
		return false
	}
	has, err := r.hasCode(got, snapshot.Latest, true)
	return err == nil && has
}

// giveImage gives the function its new image, if it still is at the revision that
// was captured: Lambda itself refuses the call otherwise.
func giveImage(ctx context.Context, r *run) (outcome, error) {
	return r.runImage(ctx, r.j.fact(imageFact(snapshot.Latest)), r.snap.RevisionID)
}

// takeBack gives the function the image back that it had.
func takeBack(ctx context.Context, r *run) (outcome, error) {
	got, err := r.live(ctx, r.name, "")
	switch {
	case err != nil:
		return outcome{}, err
	case got == nil:
		return outcome{}, fmt.Errorf("function %s is gone: there is nothing to put back", r.name)
	}
	now := digestOf(liveImage(got))
	if now != digestOf(former(r.snap)) && !r.refreshed(got) {
		return outcome{}, fmt.Errorf("function %s runs neither the image of this refresh nor the one before: somebody else changed it, and it was left alone", r.name)
	}
	return r.runImage(ctx, former(r.snap), aws.ToString(got.Configuration.RevisionId))
}

// liveImage is the image that a function runs, pinned by digest where Lambda says so.
func liveImage(got *lambda.GetFunctionOutput) string {
	for _, ref := range []*string{got.Code.ResolvedImageUri, got.Code.ImageUri} {
		if digestOf(aws.ToString(ref)) != "" {
			return *ref
		}
	}
	return aws.ToString(got.Code.ImageUri)
}

// runImage makes the function run one image and waits until it does.
func (r *run) runImage(ctx context.Context, ref, revision string) (outcome, error) {
	out, err := r.ensure(ctx, "UpdateFunctionCode", r.arn,
		func(ctx context.Context) (bool, error) {
			got, err := r.live(ctx, r.name, "")
			if err == nil && got == nil {
				err = fmt.Errorf("function %s is gone", r.name)
			}
			return err == nil && digestOf(liveImage(got)) == digestOf(ref), err
		},
		func(ctx context.Context) error {
			_, err := r.api.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &r.name, ImageUri: &ref, RevisionId: &revision})
			var moved *types.PreconditionFailedException
			if errors.As(err, &moved) {
				return errMoved
			}
			return err
		})
	if err != nil {
		return out, err
	}
	out.note = ref
	return out, r.waitActive(ctx, r.name, "")
}

// verifyRefresh reads the function and compares everything but its code with the
// snapshot.
func verifyRefresh(ctx context.Context, r *run) (outcome, error) {
	now, err := r.s.Capture(ctx, r.name)
	if err != nil {
		return outcome{}, err
	}
	seen := view{image: true, versions: snapshot.Numbers(r.snap.Versions), number: unchanged, states: true}
	want, err := factsOf(r.snap, seen)
	if err != nil {
		return outcome{}, err
	}
	seen.versions = snapshot.Numbers(now.Versions)
	got, err := factsOf(now, seen)
	if err != nil {
		return outcome{}, err
	}
	if d := compareFacts(want, got); len(d) > 0 {
		return outcome{}, fmt.Errorf("%s is not what it was: %s", r.name, strings.Join(d, "; "))
	}
	return outcome{note: fmt.Sprintf("%d facts equal to the snapshot", len(want))}, r.j.set(r.prefix+verified, now.RevisionID)
}

// whereRefresh cleans up after a refresh that ended early and says where things
// stand.
func (r *run) whereRefresh(ctx context.Context) string {
	text := ""
	if _, err := cleanRehearsal(ctx, r); err != nil {
		text = "; also: " + r.scrub.fault(err).Error()
	}
	got, err := r.live(ctx, r.name, "")
	switch {
	case err != nil:
		return "which image " + r.name + " runs could not be found out: " + r.scrub.fault(err).Error() + text
	case got == nil:
		return "WARNING: " + r.name + " does not exist: somebody else deleted it" + text
	case r.refreshed(got):
		return r.name + " runs the new image" + text
	case digestOf(liveImage(got)) == digestOf(former(r.snap)):
		return r.name + " still runs the image it had" + text
	}
	return r.name + " runs another image, which this refresh did not make" + text
}

// backRefresh lists the way back of a refresh: nothing but the image was changed,
// and settings that somebody has changed since are theirs.
func (l *lists) backRefresh() {
	l.add("rehearse-clean", Delete, "DeleteFunction", "the temporary function", "", cleanRehearsal)
	l.add(updateCode, Change, "UpdateFunctionCode", l.arn+" to the image before", "", takeBack)
}

// byRefresh reports whether a live image was made by a finished refresh of this
// migration.
func (r *run) byRefresh(got *lambda.GetFunctionOutput) (bool, error) {
	digest := digestOf(liveImage(got))
	entries, err := Journals(r.s.config.StateDir)
	if err != nil || digest == "" {
		return false, err
	}
	for _, e := range entries {
		if e.Strategy != Refresh || e.Function != r.name || e.Region != r.snap.Region || e.Account != r.snap.Account {
			continue
		}
		made, err := ReadMade(r.s.config.StateDir, e.ID)
		if err != nil {
			return false, err
		}
		if made.Choices.Origin.Migration == r.j.start.ID && digestOf(made.Image) == digest {
			return true, nil
		}
	}
	return false, nil
}
