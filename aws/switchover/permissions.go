package switchover

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/optlift/optlift/aws/policy"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// question is what IAM is asked at once: actions on resources of one kind.
type question struct {
	actions   []string
	resources []string
	// when is set for an action that not every run takes.
	when map[string]string
}

// questions are made from the table of the calls that the program makes.
func (l *looker) questions() []question {
	features := map[policy.Feature]bool{
		"":         true,
		policy.VPC: l.config.VpcConfig != nil && len(l.config.VpcConfig.SubnetIds) > 0,
		policy.EFS: len(l.config.FileSystemConfigs) > 0,
		policy.KMS: aws.ToString(l.config.KMSKeyArn) != "",
	}
	if large, err := oversized(l.snap); err == nil {
		features[policy.S3] = len(large) > 0 && l.choices.Bucket != ""
	}
	byKind := map[policy.Resource]*question{}
	var kinds []policy.Resource
	for _, c := range policy.Calls() {
		if !features[c.Feature] || c.Level > policy.Migrate || c.Service == "account" {
			continue
		}
		when := c.When
		if c.Feature != "" {
			when = "" // it is known that the function has it
		}
		if c.Service == "iam" { // only this looks at it
			continue
		}
		q := byKind[c.Resource]
		if q == nil {
			q = &question{resources: l.resources(c.Resource), when: map[string]string{}}
			byKind[c.Resource] = q
			kinds = append(kinds, c.Resource)
		}
		for _, action := range c.Actions {
			if i := slices.Index(q.actions, action); i < 0 {
				q.actions = append(q.actions, action)
				q.when[action] = when
			} else if when == "" {
				q.when[action] = ""
			}
		}
	}
	var asked []question
	for _, kind := range kinds {
		if q := byKind[kind]; len(q.resources) > 0 {
			asked = append(asked, *q)
		}
	}
	return asked
}

// resources are the ones of a kind that this run would meet; none says that it
// meets none.
func (l *looker) resources(kind policy.Resource) []string {
	account := strings.TrimSuffix(l.snap.ARN, l.snap.Function)
	partition := l.s.config.Session.Partition
	switch kind {
	case policy.Function:
		other := suffixed(l.snap.Function, "-optlift-000000")
		if l.choices.Strategy == Beside {
			other = besideName(l.snap.Function)
		}
		return []string{l.snap.ARN, account + other}
	case policy.LayerVersion:
		var layers []string
		for _, a := range l.snap.All(snapshot.KindLayer) {
			layers = append(layers, a.Name)
		}
		return layers
	case policy.Mapping:
		var mappings []string
		for _, a := range l.snap.All(snapshot.KindMapping) {
			mappings = append(mappings, "arn:"+partition+":lambda:"+l.snap.Region+":"+l.snap.Account+":event-source-mapping:"+a.Name)
		}
		return mappings
	case policy.Repository:
		return []string{"arn:" + partition + ":ecr:" + l.snap.Region + ":" + l.snap.Account + ":repository/" + repositoryName(l.snap.Function, l.choices)}
	case policy.Role:
		return []string{aws.ToString(l.config.Role)}
	case policy.Key:
		return []string{aws.ToString(l.config.KMSKeyArn)}
	case policy.Bucket, policy.Object:
		name, prefix, err := ParseBucket(l.choices.Bucket)
		if err != nil {
			return nil
		}
		if kind == policy.Bucket {
			return []string{"arn:" + partition + ":s3:::" + name}
		}
		return []string{"arn:" + partition + ":s3:::" + name + "/" + prefix + "optlift/x.zip"}
	}
	return []string{"*"}
}

// simulate returns the actions that the caller may not take on one of the
// resources. What hangs on a value that is not known here is not counted.
func (l *looker) simulate(ctx context.Context, who string, q question) ([]string, error) {
	var refused []string
	pages := iam.NewSimulatePrincipalPolicyPaginator(l.iam.simulate, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &who, ActionNames: q.actions, ResourceArns: q.resources,
		ContextEntries: []iamtypes.ContextEntry{{ContextKeyName: aws.String("iam:PassedToService"),
			ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{"lambda.amazonaws.com"}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.EvaluationResults {
			if r.EvalDecision != iamtypes.PolicyEvaluationDecisionTypeAllowed && len(r.MissingContextValues) == 0 {
				refused = append(refused, aws.ToString(r.EvalActionName))
			}
		}
	}
	return refused, nil
}
