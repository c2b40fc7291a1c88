package switchover

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/settings"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// task is a step together with the code that takes it. Plans and runs are made
// from the same list, so that a plan can't promise what a run does not do.
type task struct {
	Step
	// run looks before it acts: it may be called again after a run that was cut
	// off anywhere inside it.
	run func(ctx context.Context, r *run) (outcome, error)
}

// outcome is how a step ended when it did not fail.
type outcome struct {
	skipped bool // it was already so
	note    string
	facts   []Fact
}

// lists builds the tasks of a function that is made again, as images or as zips.
type lists struct {
	snap    *Snapshot
	choices Choices
	// name and arn are of the function that is made.
	name, arn string
	// prefix keeps the steps of a rollback apart from those of the switch.
	prefix string
	tasks  []task
}

func (l *lists) add(id string, action Action, call, target, undo string, run func(context.Context, *run) (outcome, error)) {
	// Names come from the account and end up on a terminal.
	l.tasks = append(l.tasks, task{
		Step: Step{ID: session.Clean(l.prefix + id), Action: action, Call: call, Target: session.Clean(target), Undo: undo}, run: run})
}

// turns marks the first of the steps from number from on as the one from which
// callers notice.
func (l *lists) turns(from int) {
	if from < len(l.tasks) {
		l.tasks[from].NoReturn = true
	}
}

// tasksFor lists everything that a switch does, in order.
func tasksFor(s *Snapshot, c Choices) ([]task, error) {
	c = c.withDefaults()
	l := &lists{snap: s, choices: c, name: s.Function, arn: s.ARN}
	if c.Strategy == Refresh {
		err := l.refresh()
		return l.tasks, err
	}
	if err := l.prepare(); err != nil {
		return nil, err
	}
	var err error
	switch c.Strategy {
	case Beside:
		err = l.beside()
	case Rehearse:
		l.trial()
		l.add("function", Keep, "local", s.ARN+", untouched", "", keep)
	default:
		err = l.replace()
	}
	if err != nil {
		return nil, err
	}
	return l.tasks, nil
}

// prepare lists what happens before the account's function is touched.
func (l *lists) prepare() error {
	layers := 0
	for range l.snap.All(snapshot.KindLayer) {
		layers++
	}
	builds, err := buildsOf(l.snap)
	if err != nil {
		return err
	}
	l.add("backup", Create, "local", fmt.Sprintf("code of %s, %d layers, the snapshot", plural(len(builds), "version"), layers), "", backup)
	l.add("repository", Create, "CreateRepository", repositoryName(l.snap.Function, l.choices), "", ensureRepository)
	for _, b := range builds {
		from, err := layersFrom(l.snap, l.choices, b)
		if err != nil {
			return err
		}
		l.add("image:"+b.qualifiers[0], Create, "PutImage", fmt.Sprintf("%s for %s%s", repositoryName(l.snap.Function, l.choices),
			strings.Join(b.qualifiers, ", "), from), "", buildImage(b))
	}
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// repositoryName is where the images go. ECR's names are lower case, and begin
// and end with a letter or digit
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html).
func repositoryName(function string, c Choices) string {
	if c.Repository != "" {
		return c.Repository
	}
	words := strings.FieldsFunc(strings.ToLower(function), func(r rune) bool { return r == '-' || r == '_' })
	name := strings.Join(words, "-")
	if len(name) < 2 {
		name = "lambda-" + name
	}
	return name
}

// build is an image that several versions share.
type build struct {
	qualifiers []string // $LATEST or version numbers
}

// builds groups what is carried by what the images are made from.
func buildsOf(s *Snapshot) ([]build, error) {
	var builds []build
	at := map[string]int{}
	for _, q := range append([]string{snapshot.Latest}, s.Carried()...) {
		key, err := buildKey(s, q)
		if err != nil {
			return nil, err
		}
		i, found := at[key]
		if !found {
			i = len(builds)
			at[key] = i
			builds = append(builds, build{})
		}
		builds[i].qualifiers = append(builds[i].qualifiers, q)
	}
	return builds, nil
}

func buildKey(s *Snapshot, q string) (string, error) {
	f, err := s.ConfigOf(q)
	return fmt.Sprintf("%s %v %v %s %s", aws.ToString(f.CodeSha256), snapshot.LayerARNs(f), f.Architectures, f.Runtime, aws.ToString(f.Handler)), err
}

// differs reports whether a version runs other code, or with other settings,
// than $LATEST. The description does not count: a version has its own.
func differs(s *Snapshot, q string) (bool, error) {
	a, err := s.ConfigOf(q)
	if err != nil {
		return false, err
	}
	b, err := s.ConfigOf("")
	if err != nil {
		return false, err
	}
	a.Description, b.Description = nil, nil
	return aws.ToString(a.CodeSha256) != aws.ToString(b.CodeSha256) ||
		fmt.Sprint(a.Architectures) != fmt.Sprint(b.Architectures) || !settings.Same(a, b, false), nil
}

// mended reports whether the function has to be changed on the way to its
// versions, so that its name must not run in between.
func mended(s *Snapshot) (bool, error) {
	for _, q := range s.Carried() {
		if d, err := differs(s, q); d || err != nil {
			return d, err
		}
	}
	return false, nil
}

// attach lists what follows once the function exists again: versions, and
// everything that hangs on them. Under a name that callers know, the function is
// held still while it goes through older versions.
func (l *lists) attach(undo string) error {
	s := l.snap
	changes, err := mended(s)
	if err != nil {
		return err
	}
	held := changes && l.name == s.Function
	if held {
		l.add("hold", Change, "PutFunctionConcurrency", l.arn+" to 0 while its versions are made", undo, hold)
	}
	for _, q := range s.Carried() {
		l.add("version:"+q, Create, "PublishVersion", l.arn+" as version "+q+" was", undo, publish(q))
	}
	if changes {
		l.add("latest", Change, "UpdateFunctionConfiguration", l.arn, undo, settleLatest)
	}
	if reserved := s.All(snapshot.KindReserved); len(reserved) > 0 {
		l.add("reserved-concurrency", Create, "PutFunctionConcurrency", l.arn, undo, reserve(reserved[0]))
	} else if held {
		l.add("reserved-concurrency", Delete, "DeleteFunctionConcurrency", l.arn, undo, release)
	}
	for _, a := range s.All(snapshot.KindAlias) {
		l.add("alias:"+a.Name, Create, "CreateAlias", l.arn+":"+a.Name, undo, putAlias(a))
	}
	qualifiers, policies := s.Policies()
	for _, q := range qualifiers {
		l.add("policy"+colon(q), Create, policyCall(s, policies[q]), l.arn+colon(q), undo, putPolicy(policies[q]))
	}
	for _, a := range s.All(snapshot.KindAsync) {
		l.add("async-config"+colon(a.Qualifier), Create, "PutFunctionEventInvokeConfig", l.arn+colon(a.Qualifier), undo, putAsync(a))
	}
	for _, a := range s.All(snapshot.KindURL) {
		l.add("function-url"+colon(a.Qualifier), Create, "CreateFunctionUrlConfig", l.arn+colon(a.Qualifier), undo, putURL(a))
	}
	for _, a := range s.All(snapshot.KindProvisioned) {
		l.add("provisioned-concurrency"+colon(a.Qualifier), Create, "PutProvisionedConcurrencyConfig", l.arn+colon(a.Qualifier), undo, putProvisioned(a))
	}
	for _, a := range s.All(snapshot.KindRecursion) {
		got, err := snapshot.Decode[struct{ RecursiveLoop types.RecursiveLoop }](a.Value)
		if err != nil {
			return err
		}
		if got.RecursiveLoop == types.RecursiveLoopAllow {
			l.add("recursion", Change, "PutFunctionRecursionConfig", l.arn, undo, putRecursion(a))
		}
	}
	l.add("tags", Create, "TagResource", l.arn, undo, putTags)
	return nil
}

// policyCall is the call that makes a policy again.
func policyCall(s *Snapshot, a snapshot.Attachment) string {
	statements, err := snapshot.Statements(a)
	if err != nil {
		return "AddPermission"
	}
	for _, st := range statements {
		if _, why := st.Permission(s.Function, a.Qualifier); why != "" {
			return "PutResourcePolicy"
		}
	}
	return "AddPermission"
}

// colon puts a qualifier behind what it belongs to.
func colon(qualifier string) string {
	if qualifier == "" {
		return ""
	}
	return ":" + qualifier
}

// mappings are the event source mappings that matter: one that is being deleted
// does not.
func mappingsOf(s *Snapshot) ([]mapping, error) {
	var found []mapping
	for _, a := range s.All(snapshot.KindMapping) {
		m, err := snapshot.Decode[types.EventSourceMappingConfiguration](a.Value)
		if err != nil {
			return nil, err
		}
		state := aws.ToString(m.State)
		if state == "Deleting" {
			continue
		}
		found = append(found, mapping{uuid: a.Name, qualifier: a.Qualifier, on: mappingOn(state)})
	}
	return found, nil
}

type mapping struct {
	uuid, qualifier string
	on              bool
}

// mappingOn reports whether a mapping in a state is on or about to be. "Updating"
// does not tell: it counts as on, as almost every mapping is, and the plan shows it.
func mappingOn(state string) bool { return state != "Disabled" && state != "Disabling" }
