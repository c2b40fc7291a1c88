package functions

import (
	"bytes"
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// policy is a resource policy. Statements are kept as text, because those that
// PutResourcePolicy brings may say what AddPermission can't.
type policy struct {
	ID         string
	Statements []json.RawMessage
	Revision   string // of a layer version's policy; a function's has the function's
}

// statement is what AddPermission makes; the order of members is AWS's
// (recorded in test_add_lambda_permission_fields).
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    any
	Resource  any
	Condition map[string]map[string]string `json:",omitempty"`
}

const mostPolicy = 20480 // bytes (quotas: 20 KB)

func plain(v any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // plain data always encodes
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// document is the policy as GetPolicy shows it.
func (p *policy) document() string {
	id := p.ID
	if id == "" {
		id = "default"
	}
	return string(plain(struct {
		Version   string
		ID        string `json:"Id"`
		Statement []json.RawMessage
	}{"2012-10-17", id, p.Statements}))
}

func sid(raw json.RawMessage) string {
	var s struct{ Sid string }
	_ = json.Unmarshal(raw, &s)
	return s.Sid
}

// add appends a statement unless its Sid is taken or the policy grows too long.
func (p *policy) add(st statement) (json.RawMessage, error) {
	for _, had := range p.Statements {
		if sid(had) == st.Sid { // recorded in test_permission_exceptions
			return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
		}
	}
	raw := plain(st)
	grown := &policy{ID: p.ID, Statements: append(slices.Clone(p.Statements), raw)}
	if size := len(grown.document()); size > mostPolicy {
		// https://github.com/adobe/helix-deploy/issues/24
		return nil, refuse(schemas.PolicyLengthExceededException, "The final policy size (%d) is bigger than the limit (%d).", size, mostPolicy)
	}
	p.Statements = grown.Statements
	return raw, nil
}

// remove drops a statement (recorded in test_remove_multi_permissions).
func (p *policy) remove(id string) error {
	n := len(p.Statements)
	p.Statements = slices.DeleteFunc(slices.Clone(p.Statements), func(raw json.RawMessage) bool { return sid(raw) == id })
	if len(p.Statements) == n {
		return notFound("Statement %s is not found in resource policy.", id)
	}
	return nil
}

// allows reports whether a statement without conditions lets the caller's
// account do action. A condition, such as on an organization, is not met here.
func (p *policy) allows(action string, c wire.Call) bool {
	if p == nil {
		return false
	}
	for _, raw := range p.Statements {
		var s struct {
			Effect, Action string
			Principal      any
			Condition      any
		}
		if json.Unmarshal(raw, &s) != nil || s.Effect != "Allow" || s.Action != action || s.Condition != nil {
			continue
		}
		who := s.Principal
		if m, ok := who.(map[string]any); ok {
			who = m["AWS"]
		}
		if who == "*" || who == c.Account || who == "arn:"+c.Partition()+":iam::"+c.Account+":root" {
			return true
		}
	}
	return false
}

var (
	matchService   = whole(`[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)`)
	matchPrincipal = whole(`arn:(aws[a-zA-Z-]*):(iam|sts)::\d{12}:.+`)
	matchAction    = whole(`(lambda:[*]|lambda:[a-zA-Z]+|[*])`)
)

// principal turns what AddPermission takes into what the policy holds (recorded
// in test_add_lambda_permission_fields).
func principal(c wire.Call, p string) (any, error) {
	switch {
	case p == "*":
		return "*", nil
	case matchAccount.MatchString(p):
		return map[string]string{"AWS": "arn:" + c.Partition() + ":iam::" + p + ":root"}, nil
	case matchPrincipal.MatchString(p):
		return map[string]string{"AWS": p}, nil
	case matchService.MatchString(p):
		return map[string]string{"Service": p}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

// resource is what a function's policy hangs on: the function, a version or an
// alias. It fails as recorded in test_permission_exceptions. The caller holds s.mu.
func (s *Store) resource(c wire.Call, n name) (f *function, revision **string, api string, err error) {
	f, err = s.find(c, n)
	if err != nil {
		return nil, nil, "", noFunction(functionARN(c, n.Function))
	}
	switch q := n.Qualifier; {
	case q == "":
		s.settle(f.Latest)
		return f, &f.Latest.Config.RevisionId, "GetFunction/GetAlias", nil
	case matchNumber.MatchString(q):
		if v := f.number(q); v != nil {
			s.settle(v)
			return f, &v.Config.RevisionId, "GetFunction/GetAlias", nil
		}
	case f.Aliases[q] != nil:
		return f, &f.Aliases[q].RevisionId, "GetPolicy", nil
	case aliasName(q):
		return nil, nil, "", notFound("Cannot find alias arn: %s", n.arn(c))
	}
	return nil, nil, "", noFunction(n.arn(c))
}

func (s *Store) addPermission(_ context.Context, c wire.Call, in *lambda.AddPermissionInput) (*lambda.AddPermissionOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
		return nil, err
	case n.Qualifier == "$LATEST":
		return nil, invalid("We currently do not support adding policies for $LATEST.")
	case val(in.StatementId) == "":
		return nil, missing("statementId")
	case !matchStatement.MatchString(*in.StatementId):
		return nil, badPattern(*in.StatementId, "statementId", patternStatement)
	case len(*in.StatementId) > 100:
		return nil, badValue(*in.StatementId, "statementId", "Member must have length less than or equal to 100")
	case val(in.Principal) == "":
		return nil, missing("principal")
	case !matchAction.MatchString(val(in.Action)):
		return nil, badPattern(val(in.Action), "action", `(lambda:[*]|lambda:[a-zA-Z]+|[*])`)
	case in.FunctionUrlAuthType != "" && *in.Action != "lambda:InvokeFunctionUrl":
		return nil, invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
	}
	who, err := principal(c, *in.Principal)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, rev, api, err := s.resource(c, n)
	if err == nil {
		err = revision(in.RevisionId, *rev, api)
	}
	if err != nil {
		return nil, err
	}
	p := f.Policies[n.Qualifier]
	if p == nil {
		p = &policy{}
	}
	raw, err := p.add(statement{
		Sid: *in.StatementId, Effect: "Allow", Principal: who, Action: *in.Action,
		Resource: n.arn(c), Condition: conditions(in),
	})
	if err != nil {
		return nil, err
	}
	f.Policies[n.Qualifier] = p
	*rev = ptr(uuid()) // recorded in test_function_revisions_permissions
	return &lambda.AddPermissionOutput{Statement: ptr(string(raw))}, nil
}

// conditions are recorded in test_add_lambda_permission_fields.
func conditions(in *lambda.AddPermissionInput) map[string]map[string]string {
	out := map[string]map[string]string{}
	put := func(op, key, value string) {
		if value == "" {
			return
		}
		if out[op] == nil {
			out[op] = map[string]string{}
		}
		out[op][key] = value
	}
	put("StringEquals", "AWS:SourceAccount", val(in.SourceAccount))
	put("StringEquals", "lambda:FunctionUrlAuthType", string(in.FunctionUrlAuthType))
	put("StringEquals", "aws:PrincipalOrgID", val(in.PrincipalOrgID))
	put("StringEquals", "lambda:EventSourceToken", val(in.EventSourceToken))
	put("ArnLike", "AWS:SourceArn", val(in.SourceArn))
	if in.InvokedViaFunctionUrl != nil {
		// docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
		put("Bool", "lambda:InvokedViaFunctionUrl", strconv.FormatBool(*in.InvokedViaFunctionUrl))
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (s *Store) getPolicy(_ context.Context, c wire.Call, in *lambda.GetPolicyInput) (*lambda.GetPolicyOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, rev, _, err := s.resource(c, n)
	if err != nil || f.Policies[n.Qualifier] == nil { // a function that isn't there, too: recorded in test_permission_exceptions
		return nil, gone()
	}
	return &lambda.GetPolicyOutput{Policy: ptr(f.Policies[n.Qualifier].document()), RevisionId: *rev}, nil
}

func (s *Store) removePermission(_ context.Context, c wire.Call, in *lambda.RemovePermissionInput) (*lambda.RemovePermissionOutput, error) {
	n, err := parseName(c, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in(c).Functions[n.Function] == nil {
		return nil, notFound("No policy found for: %s", functionARN(c, n.Function))
	}
	f, rev, api, err := s.resource(c, n)
	if err != nil {
		return nil, err
	}
	p := f.Policies[n.Qualifier]
	if p == nil {
		return nil, notFound("No policy is associated with the given resource.")
	}
	if err := first(revision(in.RevisionId, *rev, api), p.remove(val(in.StatementId))); err != nil {
		return nil, err
	}
	if len(p.Statements) == 0 { // recorded in test_remove_multi_permissions
		delete(f.Policies, n.Qualifier)
	}
	*rev = ptr(uuid())
	return &lambda.RemovePermissionOutput{}, nil
}

var matchFunctionARN = regexp.MustCompile(`^arn:(aws[a-zA-Z-]*):lambda:` + patternRegion + `:\d{12}:function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?$`)

// whole policies by ARN (SDK, PutResourcePolicy).
func (s *Store) byARN(c wire.Call, arn *string) (name, error) {
	if !matchFunctionARN.MatchString(val(arn)) {
		return name{}, badPattern(val(arn), "resourceArn", strings.Trim(matchFunctionARN.String(), "^$"))
	}
	return splitName(c, *arn, nil)
}

func (s *Store) getResourcePolicy(ctx context.Context, c wire.Call, in *lambda.GetResourcePolicyInput) (*lambda.GetResourcePolicyOutput, error) {
	n, err := s.byARN(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out, err := s.getPolicy(ctx, c, &lambda.GetPolicyInput{FunctionName: &n.Function, Qualifier: &n.Qualifier})
	if err != nil {
		return nil, err
	}
	return &lambda.GetResourcePolicyOutput{Policy: out.Policy, RevisionId: out.RevisionId}, nil
}

func (s *Store) putResourcePolicy(_ context.Context, c wire.Call, in *lambda.PutResourcePolicyInput) (*lambda.PutResourcePolicyOutput, error) {
	n, err := s.byARN(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	p, err := parsePolicy(val(in.Policy))
	if err != nil {
		return nil, err
	}
	if n.Qualifier == "$LATEST" {
		return nil, invalid("We currently do not support adding policies for $LATEST.")
	}
	if size := len(p.document()); size > mostPolicy {
		return nil, refuse(schemas.PolicyLengthExceededException, "The final policy size (%d) is bigger than the limit (%d).", size, mostPolicy)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, rev, api, err := s.resource(c, n)
	if err == nil {
		err = revision(in.RevisionId, *rev, api)
	}
	if err != nil {
		return nil, err
	}
	f.Policies[n.Qualifier] = p
	*rev = ptr(uuid())
	return &lambda.PutResourcePolicyOutput{Policy: ptr(p.document()), RevisionId: *rev}, nil
}

// parsePolicy reads a policy document and its statements.
func parsePolicy(text string) (*policy, error) {
	bad := invalid("The policy is not valid: it must be a JSON policy document with at least one statement.")
	var doc struct {
		ID        string `json:"Id"`
		Version   string
		Statement json.RawMessage
	}
	if json.Unmarshal([]byte(text), &doc) != nil || len(doc.Statement) == 0 {
		return nil, bad
	}
	p := &policy{ID: doc.ID}
	if json.Unmarshal(doc.Statement, &p.Statements) != nil {
		p.Statements = []json.RawMessage{doc.Statement}
	}
	for i, raw := range p.Statements {
		var s struct {
			Effect            string
			Principal, Action any
		}
		if json.Unmarshal(raw, &s) != nil || s.Effect == "" || s.Principal == nil || s.Action == nil {
			return nil, bad
		}
		var b bytes.Buffer
		_ = json.Compact(&b, raw) // parsed above
		p.Statements[i] = b.Bytes()
	}
	if len(p.Statements) == 0 {
		return nil, bad
	}
	return p, nil
}

func (s *Store) deleteResourcePolicy(_ context.Context, c wire.Call, in *lambda.DeleteResourcePolicyInput) (*lambda.DeleteResourcePolicyOutput, error) {
	n, err := s.byARN(c, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, rev, api, err := s.resource(c, n)
	if err == nil {
		err = revision(in.RevisionId, *rev, api)
	}
	if err != nil {
		return nil, err
	}
	if f.Policies[n.Qualifier] == nil {
		return nil, gone()
	}
	delete(f.Policies, n.Qualifier)
	*rev = ptr(uuid())
	return &lambda.DeleteResourcePolicyOutput{}, nil
}
