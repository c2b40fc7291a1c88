package switchover

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/rights"
	"github.com/optlift/optlift/aws/session"
)

// What only the account can tell is in the plan: as what it is, and as nothing
// where there is nothing to tell.
func TestPlanLooksAround(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.rich("shop")
	snap := b.capture("shop")
	plan := func(c Choices) *Plan {
		t.Helper()
		c.Accept = append(c.Accept, "function-url")
		p, err := b.s.Plan(b.ctx, snap, c)
		b.server.ClearFaults()
		return ok(b, p, err)
	}
	clean := plan(Choices{})
	if len(clean.Blockers) > 0 || slices.ContainsFunc(ids(clean.Notes), func(id string) bool { return strings.HasSuffix(id, "-unknown") }) {
		t.Errorf("nothing is wrong: %v, %v", clean.Blockers, clean.Notes)
	}
	denied := func(operation string) {
		b.server.Inject(emulator.Fault{Operation: operation, Kind: emulator.AccessDenied, Count: -1})
	}

	denied("CreateFunction")
	denied("UpdateAlias")
	p := plan(Choices{})
	if !slices.Equal(ids(p.Blockers), []string{"permissions"}) || !strings.Contains(p.Blockers[0].Message, "lambda:CreateFunction") ||
		strings.Contains(p.Blockers[0].Message, "lambda:DeleteFunction") {
		t.Errorf("denied calls: %v", p.Blockers)
	}
	if !slices.Contains(ids(p.Warnings), "permissions-rare") {
		t.Errorf("a call that some runs make: %v", p.Warnings)
	}
	denied("CreateFunction")
	if p := plan(Choices{Accept: []string{"permissions"}}); len(p.Blockers) > 0 || !slices.Contains(ids(p.Warnings), "permissions") {
		t.Errorf("accepted: %v", p.Blockers)
	}

	for operation, note := range map[string]string{"SimulatePrincipalPolicy": "permissions-unknown", "GetRole": "role-unknown",
		"GetAccountSettings": "concurrency-unknown", "DescribeRepositories": "repository-unknown"} {
		denied(operation)
		p := plan(Choices{Accept: []string{"permissions"}})
		i := slices.IndexFunc(p.Notes, func(n Notice) bool { return n.ID == note })
		if i < 0 || !strings.Contains(p.Notes[i].Message, "not allowed to look") || len(p.Blockers) > 0 {
			t.Errorf("%s denied: %v, %v", operation, p.Notes, p.Blockers)
		}
	}

	registry := session.ECR(b.s.config.Session, b.s.config.Region)
	_, err := registry.CreateRepository(b.ctx, &ecr.CreateRepositoryInput{RepositoryName: aws.String("shop")})
	ok(b, 0, err)
	if p := plan(Choices{}); len(p.Blockers) > 0 {
		t.Errorf("a repository without a lifecycle policy: %v", p.Blockers)
	}
	_, err = registry.PutLifecyclePolicy(b.ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("shop"), LifecyclePolicyText: aws.String(
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`)})
	ok(b, 0, err)
	if p := plan(Choices{}); !slices.Equal(ids(p.Blockers), []string{"lifecycle"}) || !strings.Contains(p.Blockers[0].Message, "14 days") {
		t.Errorf("a lifecycle policy that expires the image: %v", p.Blockers)
	}
	denied("GetLifecyclePolicy")
	if p := plan(Choices{Accept: []string{"permissions"}}); len(p.Blockers) > 0 || !slices.Contains(ids(p.Notes), "lifecycle-unknown") {
		t.Errorf("a lifecycle policy that may not be read: %v, %v", p.Blockers, p.Notes)
	}
}

// Concurrency that both functions cannot have at once stands against a switch
// beside, and against a replacement only where AWS would not give it again.
func TestPlanCountsConcurrency(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.plain("shop")
	b.plain("other")
	reserve := func(name string, n int32) {
		_, err := b.api.PutFunctionConcurrency(b.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: &n})
		ok(b, 0, err)
	}
	reserve("shop", 400)
	plan := func(s Strategy) []string {
		t.Helper()
		p, err := b.s.Plan(b.ctx, b.capture("shop"), Choices{Strategy: s})
		return ids(ok(b, p, err).Blockers)
	}
	if got := append(plan(Replace), plan(Beside)...); len(got) > 0 {
		t.Errorf("1000 - 400 leave enough for 400 and 100 more: %v", got)
	}
	reserve("other", 200)
	if got := plan(Beside); !slices.Equal(got, []string{"concurrency"}) {
		t.Errorf("1000 - 600 do not leave 400 and 100: %v", got)
	}
	if got := plan(Replace); len(got) > 0 {
		t.Errorf("what it has it can take again: %v", got)
	}
}

func TestTrustsLambda(t *testing.T) {
	for document, want := range map[string]bool{
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`:                            true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":["edge.amazonaws.com","lambda.amazonaws.com"]},"Action":["sts:AssumeRole"]}]}`: true,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                             false,
		`{"Statement":[{"Effect":"Deny","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:                           false,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`:                                                         false,
		`{`: false, "": false,
	} {
		if got := trustsLambda(document); got != want {
			t.Errorf("%s: %v", document, got)
		}
	}
}

// The questions are about what this run meets, and only that.
func TestQuestions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	l := looker{s: b.s, snap: shop(nil), config: must(shop(nil).ConfigOf(""))}
	asked := func() string {
		var text []string
		for _, q := range l.questions() {
			text = append(text, strings.Join(q.Actions, " ")+" on "+strings.Join(q.Resources, " "))
		}
		return strings.Join(text, "\n")
	}
	plain := asked()
	for _, want := range []string{"iam:PassRole on arn:aws:iam::123456789012:role/r", "function:shop-optlift-000000", "repository/shop"} {
		if !strings.Contains(plain, want) {
			t.Errorf("lacks %s:\n%s", want, plain)
		}
	}
	for _, none := range []string{"layer", "ec2:", "kms:", "s3:", "account:", "cloudformation:", "event-source-mapping"} {
		if strings.Contains(plain, " "+none) || strings.Contains(plain, ":"+none+":") {
			t.Errorf("asks about %s:\n%s", none, plain)
		}
	}
	l.snap = shop(func(c *types.FunctionConfiguration) {
		c.VpcConfig = &types.VpcConfigResponse{SubnetIds: []string{"subnet-1"}}
		c.KMSKeyArn, c.CodeSize = aws.String("arn:aws:kms:eu-central-1:1:key/k"), maxUpload
	})
	l.config, l.choices = must(l.snap.ConfigOf("")), Choices{Strategy: Beside, Bucket: "backups"}
	for _, want := range []string{"ec2:DescribeSubnets", "kms:CreateGrant", "s3:PutObject on arn:aws:s3:::backups/optlift/x.zip", "function:shop-image"} {
		if got := asked(); !strings.Contains(got, want) {
			t.Errorf("lacks %s:\n%s", want, got)
		}
	}
}

// fakeRoles is an IAM with one role of each kind.
func fakeRoles() rights.IAM { return rights.IAM{GetRole: fakeRole} }

func fakeRole(_ context.Context, in *iam.GetRoleInput, _ ...func(*iam.Options)) (*iam.GetRoleOutput, error) {
	trust := map[string]string{"good": "lambda.amazonaws.com", "other": "ec2.amazonaws.com"}[*in.RoleName]
	if trust == "" {
		return nil, &iamtypes.NoSuchEntityException{}
	}
	document := url.QueryEscape(`{"Statement":[{"Effect":"Allow","Principal":{"Service":"` + trust + `"},"Action":"sts:AssumeRole"}]}`)
	return &iam.GetRoleOutput{Role: &iamtypes.Role{AssumeRolePolicyDocument: &document, Arn: aws.String("arn:aws:iam::123456789012:role/a/path/" + *in.RoleName)}}, nil
}

func TestRoles(t *testing.T) {
	for role, want := range map[string][]string{"good": nil, "other": {"role-trust"}, "deleted": {"role-missing"}} {
		l := looker{iam: fakeRoles(), n: &notices{}, config: types.FunctionConfiguration{Role: aws.String("arn:aws:iam::123456789012:role/service/" + role)}}
		l.role(t.Context())
		if got := ids(l.n.blockers); !slices.Equal(got, want) || len(l.n.notes) > 0 {
			t.Errorf("%s: %v, want %v; %v", role, got, want, l.n.notes)
		}
	}
}

// An archive that arrives damaged, again and again, stops the run before anything
// is changed.
func TestDamagedDownload(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.small("shop")
	before := b.capture("shop")
	b.server.ForgetCalls()
	b.server.Inject(emulator.Fault{Operation: "GetObject", Kind: emulator.Corrupt, Count: -1})
	res, err := b.apply("shop", Choices{})
	b.server.ClearFaults()
	if err == nil || res.State != StateFailed || !strings.Contains(err.Error(), "back up") {
		t.Fatalf("%+v, %v", res, err)
	}
	for _, c := range b.server.Calls() {
		if mutating(c) {
			t.Errorf("it led to %s", c.Operation)
		}
	}
	b.sameAs(before, false)
}
