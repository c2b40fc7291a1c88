package functions

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// settings are what CreateFunction and UpdateFunctionConfiguration share. Nil
// members were not given.
type settings = lambda.UpdateFunctionConfigurationInput

func settingsOf(in *lambda.CreateFunctionInput) *settings {
	return &settings{
		FunctionName: in.FunctionName, CapacityProviderConfig: in.CapacityProviderConfig,
		DeadLetterConfig: in.DeadLetterConfig, Description: in.Description, DurableConfig: in.DurableConfig,
		Environment: in.Environment, EphemeralStorage: in.EphemeralStorage, FileSystemConfigs: in.FileSystemConfigs,
		Handler: in.Handler, ImageConfig: in.ImageConfig, KMSKeyArn: in.KMSKeyArn, Layers: in.Layers,
		LoggingConfig: in.LoggingConfig, MemorySize: in.MemorySize, Role: in.Role, Runtime: in.Runtime,
		SnapStart: in.SnapStart, Timeout: in.Timeout, TracingConfig: in.TracingConfig, VpcConfig: in.VpcConfig,
	}
}

// reservedKeys can't be set by users
// (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
var reservedKeys = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	"AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
}

var (
	matchEnvKey  = whole(`[a-zA-Z]([a-zA-Z0-9_])+`) // SDK model: EnvironmentVariableName
	matchHandler = whole(`[^\s]+`)
	matchAnyARN  = whole(`(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	matchKey     = whole(`(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()`)
	matchSubnet  = whole(`subnet-[0-9a-z]*`)
	matchGroup   = whole(`sg-[0-9a-zA-Z]*`)
)

// between checks a number against its model's bounds.
func between(v *int32, member string, low, high int32) error {
	switch {
	case v == nil:
	case *v < low:
		return badValue(*v, member, fmt.Sprintf("Member must have value greater than or equal to %d", low))
	case *v > high:
		return badValue(*v, member, fmt.Sprintf("Member must have value less than or equal to %d", high))
	}
	return nil
}

// short checks a text against its model's length and pattern.
func short(v *string, member string, most int, pattern *regexp.Regexp) error {
	switch {
	case v == nil:
	case len([]rune(*v)) > most:
		return badValue(*v, member, fmt.Sprintf("Member must have length less than or equal to %d", most))
	case pattern != nil && *v != "" && !pattern.MatchString(*v):
		text := strings.TrimSuffix(strings.TrimPrefix(pattern.String(), "^(?:"), ")$")
		return badPattern(*v, member, text)
	}
	return nil
}

// oneOf checks an enum.
func oneOf[T ~string](v T, member string, values []T) error {
	if v == "" || slices.Contains(values, v) {
		return nil
	}
	return badValue(v, member, "Member must satisfy enum value set: "+set(values))
}

// first returns the first error of several checks.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkSettings refuses what breaks the API's model or quotas, whatever the
// function is.
func checkSettings(c wire.Call, in *settings) error {
	if in.Role != nil && !matchRole.MatchString(*in.Role) {
		return badPattern(*in.Role, "role", patternRole) // recorded in test_create_lambda_exceptions
	}
	err := first(
		between(in.MemorySize, "memorySize", 128, 10240),
		between(in.Timeout, "timeout", 1, 900),
		short(in.Description, "description", 256, nil),
		short(in.Handler, "handler", 128, matchHandler),
		short(in.KMSKeyArn, "kMSKeyArn", 2048, matchKey),
		checkLayerARNs(in.Layers),
	)
	if err != nil {
		return err
	}
	if in.EphemeralStorage != nil {
		err = between(in.EphemeralStorage.Size, "ephemeralStorage.size", 512, 10240)
	}
	if err == nil && in.DeadLetterConfig != nil {
		err = short(in.DeadLetterConfig.TargetArn, "deadLetterConfig.targetArn", 2048, matchAnyARN)
	}
	if err == nil && in.TracingConfig != nil {
		err = oneOf(in.TracingConfig.Mode, "tracingConfig.mode", types.TracingMode("").Values())
	}
	if err == nil && in.SnapStart != nil { // recorded in test_snapstart_exceptions
		err = oneOf(in.SnapStart.ApplyOn, "snapStart.applyOn", types.SnapStartApplyOn("").Values())
	}
	if err == nil && in.LoggingConfig != nil {
		err = first(
			oneOf(in.LoggingConfig.LogFormat, "loggingConfig.logFormat", types.LogFormat("").Values()),
			oneOf(in.LoggingConfig.ApplicationLogLevel, "loggingConfig.applicationLogLevel", types.ApplicationLogLevel("").Values()),
			oneOf(in.LoggingConfig.SystemLogLevel, "loggingConfig.systemLogLevel", types.SystemLogLevel("").Values()))
	}
	if err == nil && in.VpcConfig != nil {
		err = checkVPC(in.VpcConfig)
	}
	if err == nil && in.ImageConfig != nil {
		err = checkImageConfig(in.ImageConfig)
	}
	if err == nil && in.Environment != nil {
		err = checkEnvironment(in.Environment.Variables)
	}
	if err == nil && in.Runtime != "" {
		err = checkRuntime(c, in.Runtime)
	}
	return err
}

// checkLayerARNs is recorded in test_layer_function_exceptions and
// test_layer_function_quota_exception.
func checkLayerARNs(arns []string) error {
	for _, arn := range arns {
		if !matchLayer.MatchString(arn) {
			return badValue("["+strings.Join(arns, ", ")+"]", "layers", "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "+patternLayer+", Member must not be null]")
		}
	}
	if len(arns) > 5 {
		return invalid("Cannot reference more than 5 layers.")
	}
	return nil
}

// checkVPC is recorded in test_invalid_vpc_config_subnet and
// test_invalid_vpc_config_security_group. That the subnets exist isn't looked up.
func checkVPC(v *types.VpcConfig) error {
	const length = "Member must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: "
	for _, id := range v.SubnetIds {
		if !matchSubnet.MatchString(id) {
			return badValue("["+strings.Join(v.SubnetIds, ", ")+"]", "vpcConfig.subnetIds", length+"subnet-[0-9a-z]*]")
		}
	}
	for _, id := range v.SecurityGroupIds {
		if !matchGroup.MatchString(id) {
			return badValue("["+strings.Join(v.SecurityGroupIds, ", ")+"]", "vpcConfig.securityGroupIds", length+"sg-[0-9a-zA-Z]*]")
		}
	}
	if len(v.SubnetIds) > 16 {
		return badValue("["+strings.Join(v.SubnetIds, ", ")+"]", "vpcConfig.subnetIds", "Member must have length less than or equal to 16")
	}
	if len(v.SecurityGroupIds) > 5 {
		return badValue("["+strings.Join(v.SecurityGroupIds, ", ")+"]", "vpcConfig.securityGroupIds", "Member must have length less than or equal to 5")
	}
	if (len(v.SubnetIds) == 0) != (len(v.SecurityGroupIds) == 0) {
		return invalid("The subnet IDs and security group IDs of a VPC configuration must be given together.")
	}
	return nil
}

// checkImageConfig: at most 1,500 items and a working directory of 1,000
// characters (AWS::Lambda::Function schema), 16 KB in all (quotas).
func checkImageConfig(i *types.ImageConfig) error {
	size := len(val(i.WorkingDirectory))
	for _, list := range [][]string{i.Command, i.EntryPoint} {
		if len(list) > 1500 {
			return validation("Value at 'imageConfig' failed to satisfy constraint: Member must have length less than or equal to 1500")
		}
		for _, s := range list {
			size += len(s)
		}
	}
	if err := short(i.WorkingDirectory, "imageConfig.workingDirectory", 1000, nil); err != nil {
		return err
	}
	if size > 16<<10 {
		return invalid("The image configuration exceeds the limit of 16 KB.")
	}
	return nil
}

func checkEnvironment(vars map[string]string) error {
	var reserved []string
	for _, k := range keys(vars) {
		if slices.Contains(reservedKeys, k) {
			reserved = append(reserved, k)
		} else if !matchEnvKey.MatchString(k) {
			// Variables are secrets: unlike AWS, only the key is repeated.
			return badValue("{"+k+"=…}", "environment.variables", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]")
		}
	}
	if len(reserved) > 0 {
		// https://github.com/mattermost/mattermost-cloud-monitoring/pull/264
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(vars) // a map of strings always encodes
	text := strings.TrimSuffix(b.String(), "\n")
	if len(vars) > 0 && len(text) > 4096 {
		// Recorded in test_large_environment_variables_fails, which repeats the
		// variables; so do we, because the message is AWS's.
		return invalid("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: %s", text)
	}
	return nil
}

// checkKind refuses settings that the package type forbids or lacks.
func checkKind(in *settings, kind types.PackageType) error {
	if kind == types.PackageTypeImage {
		if in.Handler != nil || in.Runtime != "" || len(in.Layers) > 0 {
			// https://github.com/aws/aws-cdk/issues/13037, https://github.com/serverless/serverless/issues/12778
			return invalid("Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.")
		}
		// SnapStart is for images, too, since the summer of 2026
		// (https://github.com/aws/aws-cdk/pull/38680), and for every runtime
		// (https://github.com/localstack/localstack/pull/12006).
		return nil
	}
	if in.ImageConfig != nil {
		return invalid("Please don't provide ImageConfig when the intended function PackageType is Zip.")
	}
	return nil
}

// apply writes the settings that were given into a configuration.
func apply(c wire.Call, cfg *types.FunctionConfiguration, in *settings) {
	set := func(to **string, v *string) {
		if v != nil {
			*to = v
		}
	}
	set(&cfg.Role, in.Role)
	set(&cfg.Description, in.Description)
	set(&cfg.Handler, in.Handler)
	if in.KMSKeyArn != nil {
		cfg.KMSKeyArn = in.KMSKeyArn
		if *in.KMSKeyArn == "" {
			cfg.KMSKeyArn = nil
		}
	}
	if in.MemorySize != nil {
		cfg.MemorySize = in.MemorySize
	}
	if in.Timeout != nil {
		cfg.Timeout = in.Timeout
	}
	if in.Runtime != "" {
		cfg.Runtime = in.Runtime
		cfg.RuntimeVersionConfig = &types.RuntimeVersionConfig{RuntimeVersionArn: ptr(runtimeVersion(c, in.Runtime))}
	}
	if in.Environment != nil {
		cfg.Environment = nil
		if in.Environment.Variables != nil {
			cfg.Environment = &types.EnvironmentResponse{Variables: in.Environment.Variables}
		}
	}
	if in.EphemeralStorage != nil {
		cfg.EphemeralStorage = in.EphemeralStorage
	}
	if in.DeadLetterConfig != nil {
		cfg.DeadLetterConfig = in.DeadLetterConfig
		if val(in.DeadLetterConfig.TargetArn) == "" {
			cfg.DeadLetterConfig = nil
		}
	}
	if in.TracingConfig != nil {
		cfg.TracingConfig = &types.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	if in.FileSystemConfigs != nil {
		cfg.FileSystemConfigs = in.FileSystemConfigs
	}
	if in.CapacityProviderConfig != nil {
		cfg.CapacityProviderConfig = in.CapacityProviderConfig
	}
	if in.DurableConfig != nil {
		cfg.DurableConfig = in.DurableConfig
	}
	if in.SnapStart != nil {
		cfg.SnapStart = &types.SnapStartResponse{ApplyOn: in.SnapStart.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	}
	if in.ImageConfig != nil {
		cfg.ImageConfigResponse = nil // an empty ImageConfig removes it: recorded in test_lambda_image_and_image_config_crud
		if i := in.ImageConfig; len(i.Command)+len(i.EntryPoint) > 0 || val(i.WorkingDirectory) != "" {
			cfg.ImageConfigResponse = &types.ImageConfigResponse{ImageConfig: i}
		}
	}
	if v := in.VpcConfig; v != nil { // recorded in test_vpc_config
		r := &types.VpcConfigResponse{
			SubnetIds: append([]string{}, v.SubnetIds...), SecurityGroupIds: append([]string{}, v.SecurityGroupIds...),
			Ipv6AllowedForDualStack: ptr(val(v.Ipv6AllowedForDualStack)), VpcId: ptr(""),
		}
		if len(v.SubnetIds) > 0 {
			sum := sha256.Sum256([]byte("vpc " + c.Account + c.Region))
			r.VpcId = ptr("vpc-" + hex.EncodeToString(sum[:])[:17])
		}
		cfg.VpcConfig = r
	}
	applyLogging(cfg, in.LoggingConfig)
}

func applyLogging(cfg *types.FunctionConfiguration, in *types.LoggingConfig) {
	if in == nil {
		return
	}
	l := types.LoggingConfig{}
	if cfg.LoggingConfig != nil {
		l = *cfg.LoggingConfig
	}
	if in.LogFormat != "" {
		l.LogFormat = in.LogFormat
	}
	if val(in.LogGroup) != "" {
		l.LogGroup = in.LogGroup
	}
	if in.ApplicationLogLevel != "" {
		l.ApplicationLogLevel = in.ApplicationLogLevel
	}
	if in.SystemLogLevel != "" {
		l.SystemLogLevel = in.SystemLogLevel
	}
	// Levels exist in JSON only, INFO by default (docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
	if l.LogFormat == types.LogFormatText {
		l.ApplicationLogLevel, l.SystemLogLevel = "", ""
	} else {
		if l.ApplicationLogLevel == "" {
			l.ApplicationLogLevel = types.ApplicationLogLevelInfo
		}
		if l.SystemLogLevel == "" {
			l.SystemLogLevel = types.SystemLogLevelInfo
		}
	}
	cfg.LoggingConfig = &l
}
