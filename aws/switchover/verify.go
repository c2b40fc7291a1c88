package switchover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/answer"
	"github.com/optlift/optlift/aws/switchover/settings"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// verify reads the function that was made and compares it with the snapshot,
// attachment by attachment and field by field. For a while reads may still tell
// what was before.
func verify(ctx context.Context, r *run) (outcome, error) {
	var out outcome
	var differs error
	err := poll(ctx, r.s.lag, func(ctx context.Context) (bool, error) {
		now, err := r.s.Capture(ctx, r.name)
		if err != nil {
			return false, err
		}
		if out, differs, err = r.compareWith(now); err != nil || differs != nil {
			return false, err
		}
		return true, r.j.set(r.prefix+verified, now.RevisionID)
	})
	if errors.Is(err, errPatience) {
		err = differs
	}
	return out, err
}

// verified is the fact of the revision that was compared.
const verified = "verified"

// compareWith compares a function as it is now with the snapshot.
func (r *run) compareWith(now *Snapshot) (out outcome, differs, err error) {
	for _, a := range now.Attachments {
		if a.Reading == snapshot.Denied || a.Reading == snapshot.Failed {
			return out, nil, fmt.Errorf("the %s can't be read: %s", a.What(), a.Message)
		}
	}
	want, err := factsOf(r.snap, view{image: r.image, versions: r.snap.Carried(), number: r.version, states: true})
	if err != nil {
		return out, nil, err
	}
	got, err := factsOf(now, view{image: r.image, versions: snapshot.Numbers(now.Versions), number: unchanged, states: true})
	if err != nil {
		return out, nil, err
	}
	if d := compareFacts(want, got); len(d) > 0 {
		return out, fmt.Errorf("%s is not what %s was: %s", r.name, r.snap.Function, strings.Join(d, "; ")), nil
	}
	return outcome{note: fmt.Sprintf("%d facts equal to the snapshot", len(want))}, nil, nil
}

// sameAttachments compares the function as it is now, its mappings paused, with
// the snapshot: a permission or an alias that somebody adds does not change the
// function's revision, and would be lost.
func (r *run) sameAttachments(ctx context.Context) error {
	now, err := r.s.Capture(ctx, r.snap.Function)
	if err != nil {
		return err
	}
	if found := preflight(now, r.choices); len(found.blockers) > 0 {
		return fmt.Errorf("function %s: %w: %s", r.snap.Function, errMoved, found.blockers[0].Message)
	}
	want, err := factsOf(r.snap, view{versions: snapshot.Numbers(r.snap.Versions), number: unchanged})
	if err != nil {
		return err
	}
	got, err := factsOf(now, view{versions: snapshot.Numbers(now.Versions), number: unchanged})
	if err != nil {
		return err
	}
	if d := compareFacts(want, got); len(d) > 0 {
		return fmt.Errorf("function %s: %w: %s", r.snap.Function, errMoved, strings.Join(d, "; "))
	}
	return nil
}

func unchanged(q string) (string, error) { return q, nil }

// compareFacts lists the differences by their names, without values: those may
// be secret.
func compareFacts(want, got map[string]any) []string {
	var differences []string
	for key, value := range want {
		switch other, found := got[key]; {
		case !found:
			differences = append(differences, key+" is missing")
		case answer.Difference(value, other, "", nil) != "":
			differences = append(differences, key+" differs at "+answer.Difference(value, other, "$", nil))
		}
	}
	for key := range got {
		if _, found := want[key]; !found {
			differences = append(differences, key+" was not there before")
		}
	}
	sort.Strings(differences)
	return differences
}

// volatile are fields that AWS sets, and that differ between two functions that
// are the same in all that a user can set.
var volatile = map[string]bool{
	"FunctionArn": true, "LastModified": true, "LastModifiedTime": true, "CreationTime": true, "RevisionId": true, "AliasArn": true,
	"FunctionUrl": true, "LastProcessingResult": true, "StateTransitionReason": true, "State": true,
	"AllocatedProvisionedConcurrentExecutions": true, "AvailableProvisionedConcurrentExecutions": true, "Status": true, "StatusReason": true,
}

// view says how a snapshot is looked at for a comparison.
type view struct {
	image    bool     // what only a Zip function has does not count
	versions []string // that count
	// number maps a version to the one that stands for it.
	number func(string) (string, error)
	states bool // whether mappings are on or off counts
}

// factsOf turns a snapshot into what must be equal, keyed by words for people.
func factsOf(s *Snapshot, v view) (map[string]any, error) {
	facts := facts{}
	settings := func(key, q string) error {
		c, err := s.ConfigOf(q)
		if err != nil {
			return err
		}
		return facts.add(key, map[string]any{"settings": settings.Comparable(c, v.image), "architectures": c.Architectures})
	}
	if err := settings("configuration", ""); err != nil {
		return nil, err
	}
	for _, q := range v.versions {
		now, err := v.number(q)
		if err != nil {
			return nil, err
		}
		if err := settings("version "+now, q); err != nil {
			return nil, err
		}
	}
	for _, a := range s.Attachments {
		if a.Reading != snapshot.Present {
			continue
		}
		if err := facts.attachment(s, a, v); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// facts are values as JSON sees them.
type facts map[string]any

func (f facts) add(key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	f[key], err = snapshot.Decode[any](raw)
	return err
}

// attachment adds what must be equal of one attachment.
func (f facts) attachment(s *Snapshot, a snapshot.Attachment, v view) error {
	switch a.Kind {
	case snapshot.KindCode, snapshot.KindLayer, snapshot.KindRuntime, snapshot.KindCodeSigning, snapshot.KindScaling, snapshot.KindDurable:
		return nil // lost by nature, refused, or compared otherwise
	}
	q, err := v.number(a.Qualifier)
	if err != nil {
		return err
	}
	key := strings.TrimSpace(strings.ReplaceAll(a.Kind, "-", " ") + " " + q)
	switch a.Kind {
	case snapshot.KindPolicy, snapshot.KindResourcePolicy:
		return f.policy(s, a, q)
	case snapshot.KindTags:
		tags, err := s.UserTags()
		if err != nil {
			return err
		}
		for k := range tags {
			if strings.HasPrefix(k, "optlift:") {
				delete(tags, k)
			}
		}
		if len(tags) == 0 {
			return nil
		}
		return f.add(key, tags)
	case snapshot.KindAlias:
		alias, err := snapshot.Decode[types.AliasConfiguration](a.Value)
		if err != nil {
			return err
		}
		if alias, err = aliasNow(alias, v.number); err != nil {
			return err
		}
		return f.add(key, map[string]any{"version": alias.FunctionVersion, "description": aws.ToString(alias.Description), "weights": weights(alias.RoutingConfig)})
	}
	fields, err := snapshot.Decode[map[string]any](a.Value)
	if err != nil {
		return err
	}
	state := fields["State"]
	for name := range fields {
		if volatile[name] {
			delete(fields, name)
		}
	}
	if a.Kind == snapshot.KindMapping {
		if state == "Deleting" {
			return nil
		}
		key = "event source mapping " + a.Name
		fields["qualifier"] = q
		if v.states {
			fields["state"] = mappingOn(fmt.Sprint(state))
		}
	}
	return f.add(key, fields)
}

// policy adds the effective policy, statement by statement.
func (f facts) policy(s *Snapshot, a snapshot.Attachment, q string) error {
	_, effective := s.Policies()
	if effective[a.Qualifier].Kind != a.Kind {
		return nil
	}
	statements, err := snapshot.Statements(a)
	if err != nil {
		return err
	}
	for _, st := range statements {
		var plain map[string]any
		if err := json.Unmarshal(st.Raw, &plain); err != nil {
			return err
		}
		delete(plain, "Resource") // the ARN that it hangs on
		if err := f.add(strings.TrimSpace("policy "+q)+" statement "+st.Sid, plain); err != nil {
			return err
		}
	}
	return nil
}
