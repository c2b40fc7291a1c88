package session

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/optlift/optlift/aws/session/bucket"
)

// The clients below are made by functions, not by methods of a session. Reflection
// can call any method that it can reach, so the linker keeps the methods of every
// type that a value in an interface leads to, by a field or by what a method
// returns. A session is such a value. Through it the clients would bring hundreds
// of operations that nothing here calls, and a fifth of the program's size.

// ECR returns a guarded client of the region.
func ECR(s *Session, region string) *ecr.Client {
	return ecr.NewFromConfig(s.cfg, func(o *ecr.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, s.instrument("ECR", region, readsECR, nil))
	})
}

// IAM returns a guarded client of the partition's IAM, which has no regions.
func IAM(s *Session) *iam.Client {
	return iam.NewFromConfig(s.cfg, func(o *iam.Options) {
		o.APIOptions = append(o.APIOptions, s.instrument("IAM", o.Region, readsIAM, nil))
	})
}

// CloudFormation returns a guarded client of the region.
func CloudFormation(s *Session, region string) *cloudformation.Client {
	return cloudformation.NewFromConfig(s.cfg, func(o *cloudformation.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, s.instrument("CloudFormation", region, readsCFN, nil))
	})
}

// S3 returns a guarded client of the region.
func S3(s *Session, region string) *bucket.Client {
	return bucket.New(s.cfg, region, s.instrument("S3", region, readsS3, nil))
}
