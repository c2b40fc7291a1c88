package settings

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// What becomes of each field of lambda.CreateFunctionInput and
// types.FunctionConfiguration. A test holds the lists against the SDK, so that a
// field that AWS adds is noticed before it is lost.
const (
	carriedFields = "FunctionName Role Architectures DeadLetterConfig Description DurableConfig Environment " +
		"EphemeralStorage FileSystemConfigs KMSKeyArn LoggingConfig MemorySize Tags Timeout TracingConfig VpcConfig"
	// The image holds what these say, or images do not have them.
	changedFields = "Code CodeSigningConfigArn Handler ImageConfig ImageConfigResponse Layers PackageType Runtime SnapStart"
	refusedFields = "CapacityProviderConfig MasterArn TenancyConfig"
	// What AWS fills in, and what is about a request and not about a function.
	readOnlyFields = "CodeSha256 CodeSize ConfigSha256 FunctionArn LastModified LastUpdateStatus LastUpdateStatusReason " +
		"LastUpdateStatusReasonCode Publish PublishTo RevisionId RuntimeVersionConfig SigningJobArn " +
		"SigningProfileVersionArn State StateReason StateReasonCode Version"
)

// Code is what a function or version is made of when it is made again: an image,
// or the zip it once was, in the call itself or in a bucket.
type Code struct {
	Image       string // reference pinned by digest
	Zip         []byte
	Bucket, Key string // of the zip in S3; "" for one in the call
	KMSKey      string // of the zip, "" for AWS's own
}

// CreateInput is the CreateFunction call that makes name with c's configuration.
func CreateInput(name string, c types.FunctionConfiguration, of Code, tags map[string]string) *lambda.CreateFunctionInput {
	in := &lambda.CreateFunctionInput{
		FunctionName: aws.String(name), Role: c.Role, Architectures: c.Architectures,
		DeadLetterConfig: c.DeadLetterConfig, Description: c.Description, DurableConfig: c.DurableConfig,
		EphemeralStorage: c.EphemeralStorage, FileSystemConfigs: c.FileSystemConfigs, KMSKeyArn: c.KMSKeyArn,
		LoggingConfig: c.LoggingConfig, MemorySize: c.MemorySize, Timeout: c.Timeout, Tags: tags,
	}
	if c.Environment != nil && len(c.Environment.Variables) > 0 {
		in.Environment = &types.Environment{Variables: c.Environment.Variables}
	}
	if c.TracingConfig != nil {
		in.TracingConfig = &types.TracingConfig{Mode: c.TracingConfig.Mode}
	}
	if v := c.VpcConfig; v != nil && len(v.SubnetIds) > 0 {
		in.VpcConfig = &types.VpcConfig{SubnetIds: v.SubnetIds, SecurityGroupIds: v.SecurityGroupIds,
			Ipv6AllowedForDualStack: v.Ipv6AllowedForDualStack}
	}
	if aws.ToString(c.Description) == "" {
		in.Description = nil
	}
	if of.Image != "" {
		in.PackageType = types.PackageTypeImage
		in.Code = &types.FunctionCode{ImageUri: aws.String(of.Image)}
		return in
	}
	in.PackageType = types.PackageTypeZip
	in.Code = &types.FunctionCode{ZipFile: of.Zip}
	if of.Bucket != "" {
		in.Code.S3Bucket, in.Code.S3Key = aws.String(of.Bucket), aws.String(of.Key)
	}
	if of.KMSKey != "" {
		in.Code.SourceKMSKeyArn = aws.String(of.KMSKey)
	}
	in.Handler, in.Runtime, in.Layers = c.Handler, c.Runtime, snapshot.LayerARNs(c)
	if c.SnapStart != nil && c.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		in.SnapStart = &types.SnapStart{ApplyOn: c.SnapStart.ApplyOn}
	}
	return in
}

// UpdateInput is the UpdateFunctionConfiguration call that turns a function with
// the configuration have into one with exactly want. What only have has is sent
// empty, because the call leaves alone what it is not told; what neither has is
// not sent.
func UpdateInput(name string, want, have types.FunctionConfiguration, image bool) *lambda.UpdateFunctionConfigurationInput {
	in := settings(name, want, image)
	now := settings(name, have, image)
	if len(in.Environment.Variables)+len(now.Environment.Variables) == 0 {
		in.Environment = nil
	}
	if aws.ToString(in.DeadLetterConfig.TargetArn)+aws.ToString(now.DeadLetterConfig.TargetArn) == "" {
		in.DeadLetterConfig = nil
	}
	if len(in.VpcConfig.SubnetIds)+len(now.VpcConfig.SubnetIds) == 0 {
		in.VpcConfig = nil
	}
	if len(in.FileSystemConfigs)+len(now.FileSystemConfigs) == 0 {
		in.FileSystemConfigs = nil
	}
	if *in.KMSKeyArn+*now.KMSKeyArn == "" {
		in.KMSKeyArn = nil
	}
	if *in.Description+*now.Description == "" {
		in.Description = nil
	}
	if len(in.Layers)+len(now.Layers) == 0 {
		in.Layers = nil
	}
	if !image && in.SnapStart.ApplyOn == now.SnapStart.ApplyOn {
		in.SnapStart = nil
	}
	return in
}

// settings is c as the update call takes it, empty where c has nothing.
func settings(name string, c types.FunctionConfiguration, image bool) *lambda.UpdateFunctionConfigurationInput {
	in := &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(name), Role: c.Role, Description: aws.String(aws.ToString(c.Description)),
		EphemeralStorage: c.EphemeralStorage, FileSystemConfigs: c.FileSystemConfigs,
		KMSKeyArn: aws.String(aws.ToString(c.KMSKeyArn)), LoggingConfig: c.LoggingConfig,
		MemorySize: c.MemorySize, Timeout: c.Timeout, DurableConfig: c.DurableConfig,
		Environment: &types.Environment{Variables: map[string]string{}},
		// An empty target takes the queue away.
		DeadLetterConfig: &types.DeadLetterConfig{TargetArn: aws.String("")},
		TracingConfig:    &types.TracingConfig{Mode: types.TracingModePassThrough},
		VpcConfig:        &types.VpcConfig{SubnetIds: []string{}, SecurityGroupIds: []string{}},
	}
	if in.FileSystemConfigs == nil {
		in.FileSystemConfigs = []types.FileSystemConfig{}
	}
	if c.Environment != nil && c.Environment.Variables != nil {
		in.Environment.Variables = c.Environment.Variables
	}
	if c.DeadLetterConfig != nil {
		in.DeadLetterConfig = c.DeadLetterConfig
	}
	if c.TracingConfig != nil {
		in.TracingConfig.Mode = c.TracingConfig.Mode
	}
	if v := c.VpcConfig; v != nil && len(v.SubnetIds) > 0 {
		in.VpcConfig = &types.VpcConfig{SubnetIds: v.SubnetIds, SecurityGroupIds: v.SecurityGroupIds,
			Ipv6AllowedForDualStack: v.Ipv6AllowedForDualStack}
	}
	if image {
		return in
	}
	in.Handler, in.Runtime, in.Layers = c.Handler, c.Runtime, snapshot.LayerARNs(c)
	if in.Layers == nil {
		in.Layers = []string{}
	}
	in.SnapStart = &types.SnapStart{ApplyOn: types.SnapStartApplyOnNone}
	if c.SnapStart != nil && c.SnapStart.ApplyOn != "" {
		in.SnapStart.ApplyOn = c.SnapStart.ApplyOn
	}
	return in
}

// Same compares what an update can set, so that a step can see whether
// it is still needed.
func Same(a, b types.FunctionConfiguration, image bool) bool {
	x, errX := snapshot.Encode(Comparable(a, image))
	y, errY := snapshot.Encode(Comparable(b, image))
	return errX == nil && errY == nil && string(x) == string(y)
}

// Comparable is c as an update takes it, with what AWS fills in by itself made
// equal to what is left out.
func Comparable(c types.FunctionConfiguration, image bool) *lambda.UpdateFunctionConfigurationInput {
	in := settings("", c, image)
	// The default log group follows the function's name.
	if l := c.LoggingConfig; l != nil && aws.ToString(l.LogGroup) == "/aws/lambda/"+aws.ToString(c.FunctionName) {
		in.LoggingConfig = &types.LoggingConfig{ApplicationLogLevel: l.ApplicationLogLevel, LogFormat: l.LogFormat, SystemLogLevel: l.SystemLogLevel}
	}
	// What AWS fills in when it is left out counts as equal to it.
	if in.EphemeralStorage == nil {
		in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(512)}
	}
	if in.LoggingConfig == nil {
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatText}
	}
	return in
}
