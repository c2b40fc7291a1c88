package emulator

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// identity is the ARN and id of a caller: a user, or for temporary credentials
// ("ASIA…", docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)
// a session of a role, both called optlift.
func identity(c wire.Call) (arn, id string) {
	if strings.HasPrefix(c.AccessKey, "ASIA") {
		return "arn:" + c.Partition() + ":sts::" + c.Account + ":assumed-role/optlift/session", "AROAEMULATOR000000000:session"
	}
	return "arn:" + c.Partition() + ":iam::" + c.Account + ":user/optlift", "AIDAEMULATOR000000000"
}

var (
	matchEntity   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):(user|role|group)/(?:[^:]*/)?([\w+=,.@-]+)$`)
	matchResource = regexp.MustCompile(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$`)
	matchAction   = regexp.MustCompile(`^[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+$`)
)

type evaluation struct {
	EvalActionName, EvalResourceName, EvalDecision string
	MatchedStatements, MissingContextValues        struct{} // none
}

type simulation struct {
	IsTruncated       bool
	Marker            string `xml:",omitempty"`
	EvaluationResults struct {
		Members []evaluation `xml:"member"`
	}
}

// simulate tells what would be allowed: everything, for every caller of this
// account may do anything, but for what a fault denies now. The combinations of
// actions and resources come in the order they were asked for
// (docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html);
// the refusals are from https://github.com/aws-containers/amazon-ecs-exec-checker/pull/10
// and /issues/35.
func (q queryCall) simulate(s *Server, c wire.Call) (any, error) {
	const input = "InvalidInput"
	source := q.form.Get("PolicySourceArn")
	entity := matchEntity.FindStringSubmatch(source)
	switch {
	case source == "":
		return nil, missingParameter("policySourceArn")
	case entity == nil:
		return nil, wire.Errorf(400, input, "Invalid Entity Arn: %s does not clearly define entity type and name.", source)
	case entity[1] != c.Account || entity[2] == "group" || entity[2] == "user" && entity[3] != "optlift":
		return nil, wire.Errorf(404, "NoSuchEntity", "The %s with name %s cannot be found.", entity[2], entity[3])
	}
	actions, resources := q.members("ActionNames"), q.members("ResourceArns")
	if len(actions) == 0 {
		return nil, missingParameter("actionNames")
	}
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	for _, a := range actions {
		if !matchAction.MatchString(a) {
			return nil, wire.Errorf(400, input, "Invalid Action: %s", a)
		}
	}
	for _, r := range resources {
		if !matchResource.MatchString(r) {
			return nil, wire.Errorf(400, input, "ResourceNames are not in a valid ARN format: %s.", r)
		}
	}
	var all []evaluation
	for _, a := range actions {
		for _, r := range resources {
			e := evaluation{EvalActionName: a, EvalResourceName: r, EvalDecision: "allowed"}
			if s.faults.denies(a, r) {
				e.EvalDecision = "implicitDeny"
			}
			all = append(all, e)
		}
	}
	return q.cut(all)
}

func missingParameter(name string) error {
	return wire.Errorf(400, "ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", name)
}

// members reads a list of the Query protocol, in its order.
func (q queryCall) members(list string) []string {
	var numbers []int
	for key := range q.form {
		if text, ok := strings.CutPrefix(key, list+".member."); ok {
			if n, err := strconv.Atoi(text); err == nil {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	var out []string
	for _, n := range numbers {
		out = append(out, q.form.Get(list+".member."+strconv.Itoa(n)))
	}
	return out
}

// cut is the page of a simulation that was asked for: 100 items when nothing else
// is said, at most 1,000 (API_SimulatePrincipalPolicy.html).
func (q queryCall) cut(all []evaluation) (any, error) {
	from, err := strconv.Atoi(cmp.Or(q.form.Get("Marker"), "0"))
	most, err2 := strconv.Atoi(cmp.Or(q.form.Get("MaxItems"), "100"))
	if err != nil || err2 != nil || from < 0 || from > len(all) || most < 1 || most > 1000 {
		return nil, wire.Errorf(400, "ValidationError", "Invalid Marker or MaxItems.")
	}
	var out simulation
	to := min(from+most, len(all))
	if out.EvaluationResults.Members = all[from:to]; to < len(all) {
		out.IsTruncated, out.Marker = true, strconv.Itoa(to)
	}
	return out, nil
}

// denies reports whether an action would now meet an AccessDenied fault. Actions
// are named as operations but for Invoke
// (docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html).
func (f *faults) denies(action, resource string) bool {
	_, operation, _ := strings.Cut(action, ":")
	if action == "lambda:InvokeFunction" {
		operation = "Invoke"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.active, func(x *Fault) bool {
		return x.Kind == AccessDenied && x.Skip == 0 && (x.Operation == "" || x.Operation == operation) && strings.Contains(resource, x.Target)
	})
}
