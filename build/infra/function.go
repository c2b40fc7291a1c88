package infra

import (
	"maps"
	"slices"
	"strings"
)

// cfnFunction is the function as AWS::Lambda::Function.
func cfnFunction(f *Function) func(*template) *resource {
	return func(t *template) *resource {
		p := props{{"FunctionName", f.Name}, {"PackageType", "Image"}, {"Code", props{{"ImageUri", ref{name: image}}}}}
		f.common(t, &p)
		if f.DeadLetter != "" {
			p.add("DeadLetterConfig", props{{"TargetArn", f.DeadLetter}})
		}
		if f.Tracing != "" {
			p.add("TracingConfig", props{{"Mode", f.Tracing}})
		}
		if len(f.Tags) > 0 {
			var tags []any
			for _, k := range slices.Sorted(maps.Keys(f.Tags)) {
				tags = append(tags, props{{"Key", k}, {"Value", f.Tags[k]}})
			}
			p.add("Tags", tags)
		}
		return t.resource("Function", "AWS::Lambda::Function", p)
	}
}

// samFunction is the function as AWS::Serverless::Function, whose words differ here
// and there (https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html).
func samFunction(f *Function) func(*template) *resource {
	return func(t *template) *resource {
		p := props{{"FunctionName", f.Name}, {"PackageType", "Image"}, {"ImageUri", ref{name: image}}}
		f.common(t, &p)
		if f.DeadLetter != "" {
			kind := "SQS"
			if strings.Contains(f.DeadLetter, ":sns:") {
				kind = "SNS"
			}
			p.add("DeadLetterQueue", props{{"Type", kind}, {"TargetArn", f.DeadLetter}})
		}
		set(&p, "Tracing", f.Tracing)
		if len(f.Tags) > 0 {
			tags := data{}
			for k, v := range f.Tags {
				tags[k] = v
			}
			p.add("Tags", tags)
		}
		return t.resource("Function", "AWS::Serverless::Function", p)
	}
}

// common are the properties that both have under the same name.
func (f *Function) common(t *template, p *props) {
	p.add("Role", f.Role)
	p.add("Architectures", []any{f.Architecture})
	set(p, "Description", f.Description)
	set(p, "MemorySize", f.MemoryMB)
	set(p, "Timeout", f.TimeoutSec)
	if f.EphemeralMB > 0 {
		p.add("EphemeralStorage", props{{"Size", f.EphemeralMB}})
	}
	if len(f.EnvNames) > 0 {
		values := data{}
		for _, name := range f.EnvNames {
			values[name] = t.secret("Env", strings.ToLower(name), "Value of the environment variable "+name)
		}
		p.add("Environment", props{{"Variables", values}})
	}
	if len(f.Subnets) > 0 {
		vpc := props{{"SubnetIds", list(f.Subnets)}, {"SecurityGroupIds", list(f.Groups)}}
		set(&vpc, "Ipv6AllowedForDualStack", f.IPv6)
		p.add("VpcConfig", vpc)
	}
	var mounts []any
	for _, fs := range f.FileSystems {
		mounts = append(mounts, props{{"Arn", fs.ARN}, {"LocalMountPath", fs.Path}})
	}
	if len(mounts) > 0 {
		p.add("FileSystemConfigs", mounts)
	}
	set(p, "KmsKeyArn", f.KMSKey)
	if l := f.Logging; l != nil {
		var log props
		set(&log, "LogFormat", l.Format)
		set(&log, "ApplicationLogLevel", l.ApplicationLevel)
		set(&log, "SystemLogLevel", l.SystemLevel)
		set(&log, "LogGroup", l.Group)
		p.add("LoggingConfig", log)
	}
	if d := f.Durable; d != nil {
		var durable props
		set(&durable, "ExecutionTimeout", d.TimeoutSec)
		set(&durable, "RetentionPeriodInDays", d.RetentionDays)
		p.add("DurableConfig", durable)
	}
	if f.Reserved != nil {
		p.add("ReservedConcurrentExecutions", *f.Reserved)
	}
	if f.AllowRecursion {
		p.add("RecursiveLoop", "Allow")
	}
}
