package switchover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/registry"
	"github.com/optlift/optlift/aws/rights"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// Plan is PlanFor with what only the account can tell: whether the caller is
// allowed to do what the steps do, whether Lambda may assume the role, whether
// concurrency is free, whether the repository would expire the image, and whether
// the bucket can be used. It reads only, and what it was not allowed to look at is
// a note, never a silence.
func (s *Switcher) Plan(ctx context.Context, snap *Snapshot, c Choices) (*Plan, error) {
	p := PlanFor(snap, c)
	c = c.withDefaults()
	config, err := snap.ConfigOf("")
	if err != nil || config.PackageType == types.PackageTypeImage {
		return p, ctx.Err() // told already
	}
	n := &notices{accepted: map[string]bool{}}
	for _, id := range c.Accept {
		n.accepted[id] = true
	}
	l := looker{s: s, snap: snap, choices: c, config: config, n: n, iam: rights.Of(s.config.Session)}
	for _, look := range []func(context.Context){l.role, l.permissions, l.concurrency, l.repository, l.bucket} {
		look(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	p.Blockers, p.Warnings = append(p.Blockers, n.blockers...), append(p.Warnings, n.warnings...)
	p.Notes = append(p.Notes, n.notes...)
	return p, nil
}

// looker looks at what surrounds one function.
type looker struct {
	s       *Switcher
	snap    *Snapshot
	choices Choices
	config  types.FunctionConfiguration
	n       *notices
	iam     rights.IAM
}

// unseen notes what could not be looked at, and whether it was not allowed.
func (l *looker) unseen(id, what string, err error) {
	how := "could not look at "
	if session.KindOf(err) == session.Denied {
		how = "not allowed to look at "
	}
	l.n.note(id+"-unknown", "%s%s: %s", how, what, session.Explain(err))
}

// roleName is the last part of a role's ARN.
func roleName(roleARN string) string { return roleARN[strings.LastIndexByte(roleARN, '/')+1:] }

// role finds out whether Lambda can assume the function's role again.
func (l *looker) role(ctx context.Context) {
	name := roleName(aws.ToString(l.config.Role))
	got, err := l.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	var gone *iamtypes.NoSuchEntityException
	switch {
	case errors.As(err, &gone):
		l.n.refuse("role-missing", "role %s was deleted: no function can be created with it, the image function no more than the Zip function", name)
		return
	case err != nil:
		l.unseen("role", "the function's role "+name, err)
		return
	case got.Role == nil:
		return
	}
	trust, err := url.QueryUnescape(aws.ToString(got.Role.AssumeRolePolicyDocument))
	if err != nil || !trustsLambda(trust) {
		l.n.hold("role-trust", "the trust policy of role %s does not plainly let lambda.amazonaws.com assume it: Lambda may refuse to create the function again", name)
	}
}

// trustsLambda reports whether a trust policy has a statement that lets Lambda
// assume the role.
func trustsLambda(document string) bool {
	statements, err := snapshot.ParsePolicy(document)
	if err != nil {
		return false
	}
	for _, st := range statements {
		var principal struct{ Service any }
		if json.Unmarshal(st.Principal, &principal) != nil || st.Effect != "Allow" {
			continue
		}
		action := string(st.Action)
		if strings.Contains(fmt.Sprint(principal.Service), "lambda.amazonaws.com") &&
			(strings.Contains(action, `"sts:AssumeRole"`) || strings.Contains(action, `"sts:*"`) || strings.Contains(action, `"*"`)) {
			return true
		}
	}
	return false
}

// minUnreserved is the concurrency that AWS keeps unreserved in an account
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
const minUnreserved = 100

// concurrency finds out whether what the function has can be taken again.
func (l *looker) concurrency(ctx context.Context) {
	reserved, provisioned := l.wanted()
	if reserved < 0 && provisioned == 0 || l.choices.Strategy == Rehearse {
		return
	}
	got, err := l.s.api().GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil || got.AccountLimit == nil || got.AccountLimit.UnreservedConcurrentExecutions == nil {
		if err == nil {
			err = errors.New("the answer has no number")
		}
		l.unseen("concurrency", "the account's unreserved concurrency", err)
		return
	}
	// A function with a reservation takes its provisioned concurrency out of that.
	take, what := int32(provisioned), "provisioned"
	if reserved >= 0 {
		take, what = int32(reserved), "reserved"
	}
	left := *got.AccountLimit.UnreservedConcurrentExecutions
	if l.choices.Strategy == Replace {
		// What the function has now is given back before it is taken again.
		l.n.note("concurrency", "%d of %s concurrency are given back and taken again; besides, %d are unreserved", take, what, left)
		if left < minUnreserved && reserved > 0 {
			l.n.hold("concurrency", "the account has %d of concurrency unreserved, and AWS reserves nothing that leaves less than %d: the %d reserved ones could not be taken again",
				left, minUnreserved, take)
		}
		return
	}
	if take > 0 && left-take < minUnreserved {
		l.n.hold("concurrency", "both functions together need %d more of %s concurrency, of which the account has %d unreserved, and %d must stay so: the new function would not get it",
			take, what, left, minUnreserved)
	}
}

// wanted is the function's reserved concurrency, -1 for none, and the sum of its
// provisioned.
func (l *looker) wanted() (reserved, provisioned int) {
	reserved = -1
	for _, a := range l.snap.All(snapshot.KindReserved) {
		if v, err := snapshot.Decode[lambda.GetFunctionConcurrencyOutput](a.Value); err == nil && v.ReservedConcurrentExecutions != nil {
			reserved = int(*v.ReservedConcurrentExecutions)
		}
	}
	for _, a := range l.snap.All(snapshot.KindProvisioned) {
		if v, err := snapshot.Decode[types.ProvisionedConcurrencyConfigListItem](a.Value); err == nil {
			provisioned += int(aws.ToInt32(v.RequestedProvisionedConcurrentExecutions))
		}
	}
	return reserved, provisioned
}

// repository finds out whether the image would be expired. Images are pushed by
// their digest, without a tag.
func (l *looker) repository(ctx context.Context) {
	name := repositoryName(l.snap.Function, l.choices)
	repo, found, err := registry.New(l.s.config.Session, l.s.config.Region).Look(ctx, name)
	switch {
	case err != nil:
		l.unseen("repository", "repository "+name, err)
		return
	case !found:
		return // a new one has no lifecycle policy
	case repo.LifecycleError != "":
		l.n.note("lifecycle-unknown", "could not look at the lifecycle policy of repository %s: %s", name, repo.LifecycleError)
		return
	}
	rule, expires, err := registry.Expires(repo.Lifecycle)
	switch {
	case err != nil:
		l.n.note("lifecycle-unknown", "repository %s: %v", name, err)
	case expires:
		l.n.hold("lifecycle", "the lifecycle policy of repository %s would delete the image (%s), and a function whose image is gone fails: change the rule, or name another repository with --repository",
			name, rule.Text)
	}
}

// bucket finds out whether the zips that need one can be put into it.
func (l *looker) bucket(ctx context.Context) {
	large, err := oversized(l.snap)
	if err != nil || len(large) == 0 || l.choices.Bucket == "" || l.choices.Strategy != Replace {
		return
	}
	name, _, err := ParseBucket(l.choices.Bucket)
	if err != nil {
		return // told already
	}
	if err := inRegion(ctx, session.S3(l.s.config.Session, l.s.config.Region), name, l.s.config.Region); err != nil {
		if session.KindOf(err) == session.Denied {
			l.unseen("bucket", "bucket "+name, err)
			return
		}
		l.n.refuse("bucket", "%s", session.Explain(err))
	}
}

// permissions asks IAM whether the caller may make every call.
func (l *looker) permissions(ctx context.Context) {
	caller := l.s.config.Session.CallerARN
	if strings.HasSuffix(caller, ":root") {
		return // may do everything in its account
	}
	who, err := l.iam.Principal(ctx, caller)
	if err == nil && who == "" {
		err = errors.New("IAM simulates users and roles only")
	}
	if err != nil {
		l.unseen("permissions", "the permissions of "+session.Clean(caller), err)
		return
	}
	var denied, rarely []string
	for _, q := range l.questions() {
		refused, err := l.iam.Refused(ctx, who, q)
		if err != nil {
			l.unseen("permissions", "the permissions of "+session.Clean(who), err)
			return
		}
		for _, action := range refused {
			if q.When[action] != "" {
				rarely = append(rarely, action+" (for "+q.When[action]+")")
			} else {
				denied = append(denied, action)
			}
		}
	}
	slices.Sort(denied)
	slices.Sort(rarely)
	if denied = slices.Compact(denied); len(denied) > 0 {
		l.n.hold("permissions", "IAM's simulation says that %s may not do: %s; a run would stop there (optlift policy migrate prints the policy)", session.Clean(who), strings.Join(denied, ", "))
	}
	if rarely = slices.Compact(rarely); len(rarely) > 0 {
		l.n.warn("permissions-rare", "IAM's simulation says that %s may not do what some runs need: %s", session.Clean(who), strings.Join(rarely, ", "))
	}
}
