package switchover

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/optlift/optlift/aws/policy"
	"github.com/optlift/optlift/aws/rights"
	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// questions are what IAM is asked about this run.
func (l *looker) questions() []rights.Question {
	features := map[policy.Feature]bool{
		"":         true,
		policy.VPC: l.config.VpcConfig != nil && len(l.config.VpcConfig.SubnetIds) > 0,
		policy.EFS: len(l.config.FileSystemConfigs) > 0,
		policy.KMS: aws.ToString(l.config.KMSKeyArn) != "",
	}
	if large, err := oversized(l.snap); err == nil {
		features[policy.S3] = len(large) > 0 && l.choices.Bucket != ""
	}
	return rights.Questions(features, l.resources)
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
	case policy.Stack:
		return nil // a run reads no template
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
