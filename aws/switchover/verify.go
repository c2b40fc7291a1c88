package switchover

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// verify reads the function that was made and compares it with the snapshot,
// attachment by attachment and field by field.
func verify(ctx context.Context, r *run) (outcome, error) {
	now, err := r.s.Capture(ctx, r.name)
	if err != nil {
		return outcome{}, err
	}
	want, err := r.facts(r.snap, r.version)
	if err != nil {
		return outcome{}, err
	}
	got, err := r.facts(now, func(q string) (string, error) { return q, nil })
	if err != nil {
		return outcome{}, err
	}
	var differences []string
	for key, value := range want {
		switch other, found := got[key]; {
		case !found:
			differences = append(differences, key+" is missing")
		case firstDifference(value, other, "") != "":
			differences = append(differences, key+" differs at "+firstDifference(value, other, "$"))
		}
	}
	for key := range got {
		if _, found := want[key]; !found {
			differences = append(differences, key+" was not there before")
		}
	}
	sort.Strings(differences)
	if len(differences) > 0 {
		return outcome{}, fmt.Errorf("%s is not what %s was: %s", r.name, r.snap.Function, strings.Join(differences, "; "))
	}
	return outcome{note: fmt.Sprintf("%d facts equal to the snapshot", len(want))}, nil
}

// volatile are fields that AWS sets, and that differ between two functions that
// are the same in all that a user can set.
var volatile = map[string]bool{
	"FunctionArn": true, "LastModified": true, "LastModifiedTime": true, "CreationTime": true, "RevisionId": true, "AliasArn": true,
	"FunctionUrl": true, "LastProcessingResult": true, "StateTransitionReason": true, "State": true,
	"AllocatedProvisionedConcurrentExecutions": true, "AvailableProvisionedConcurrentExecutions": true, "Status": true, "StatusReason": true,
}

// facts turns a snapshot into what must be equal afterwards, keyed by words for
// people. number maps a version to the one that stands for it.
func (r *run) facts(s *Snapshot, number func(string) (string, error)) (map[string]any, error) {
	facts := map[string]any{}
	add := func(key string, value any) error {
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		var plain any
		if err := json.Unmarshal(raw, &plain); err != nil {
			return err
		}
		facts[key] = plain
		return nil
	}
	settings := func(key, q string) error {
		c, err := r.configOf(s, q)
		if err != nil {
			return err
		}
		in := settingsOf(c, r.image)
		return add(key, map[string]any{"settings": in, "architectures": c.Architectures})
	}
	if err := settings("configuration", ""); err != nil {
		return nil, err
	}
	carried := r.snap.carriedVersions()
	if s != r.snap {
		carried = versionNumbers(s.Versions)
	}
	for _, q := range carried {
		now, err := number(q)
		if err != nil {
			return nil, err
		}
		if err := settings("version "+now, q); err != nil {
			return nil, err
		}
	}
	for _, a := range s.Attachments {
		if a.Reading == Denied || a.Reading == Failed {
			if s != r.snap {
				return nil, fmt.Errorf("the %s can't be read: %s", a.what(), a.Message)
			}
			continue // accepted in the plan
		}
		if a.Reading != Present {
			continue
		}
		if err := r.attachmentFact(s, a, number, add); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// configOf is a configuration with what the function's name decides taken out.
func (r *run) configOf(s *Snapshot, q string) (types.FunctionConfiguration, error) {
	c, err := s.config(q)
	if err == nil && c.LoggingConfig != nil && aws.ToString(c.LoggingConfig.LogGroup) == "/aws/lambda/"+s.Function {
		logging := *c.LoggingConfig
		logging.LogGroup = nil
		c.LoggingConfig = &logging
	}
	return c, err
}

// attachmentFact adds what must be equal of one attachment.
func (r *run) attachmentFact(s *Snapshot, a Attachment, number func(string) (string, error), add func(string, any) error) error {
	q, err := number(a.Qualifier)
	if err != nil {
		return err
	}
	key := strings.TrimSpace(strings.ReplaceAll(a.Kind, "-", " ") + " " + q)
	switch a.Kind {
	case kindCode, kindLayer, kindRuntime, kindCodeSigning, kindScaling, kindDurable, kindPolicy, kindResourcePolicy:
		if a.Kind == kindPolicy || a.Kind == kindResourcePolicy {
			return r.policyFact(s, a, q, add)
		}
		return nil // lost by nature, or refused
	case kindTags:
		tags, err := s.userTags()
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
		return add(key, tags)
	case kindAlias:
		alias, err := decode[types.AliasConfiguration](a.Value)
		if err != nil {
			return err
		}
		if s == r.snap {
			if alias, err = r.alias(alias); err != nil {
				return err
			}
		}
		return add(key, map[string]any{"version": alias.FunctionVersion, "description": aws.ToString(alias.Description), "weights": weights(alias.RoutingConfig)})
	case kindMapping:
		return r.mappingFact(s, a, q, add)
	}
	fields, err := decode[map[string]any](a.Value)
	if err != nil {
		return err
	}
	for name := range fields {
		if volatile[name] {
			delete(fields, name)
		}
	}
	return add(key, fields)
}

// mappingFact compares a mapping with its state and target; in a replacement
// they are the same mapping, beside they moved.
func (r *run) mappingFact(s *Snapshot, a Attachment, q string, add func(string, any) error) error {
	fields, err := decode[map[string]any](a.Value)
	if err != nil {
		return err
	}
	state := fields["State"]
	if state == "Deleting" {
		return nil
	}
	if s == r.snap {
		mappings, err := s.mappings()
		if err != nil {
			return err
		}
		for _, m := range mappings {
			if m.uuid == a.Name {
				state = m.state()
			}
		}
	}
	for name := range fields {
		if volatile[name] {
			delete(fields, name)
		}
	}
	fields["state"], fields["qualifier"] = state, q
	return add("event source mapping "+a.Name, fields)
}

// policyFact compares the effective policy, statement by statement.
func (r *run) policyFact(s *Snapshot, a Attachment, q string, add func(string, any) error) error {
	_, effective := s.policies()
	if effective[a.Qualifier].Kind != a.Kind {
		return nil
	}
	statements, err := statementsOf(a)
	if err != nil {
		return err
	}
	for _, st := range statements {
		var plain map[string]any
		if err := json.Unmarshal(st.raw, &plain); err != nil {
			return err
		}
		delete(plain, "Resource") // the ARN that it hangs on
		if err := add(strings.TrimSpace("policy "+q)+" statement "+st.Sid, plain); err != nil {
			return err
		}
	}
	return nil
}
