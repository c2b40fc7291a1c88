package blueprint

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/switchover/snapshot"
	"github.com/optlift/optlift/build/infra"
)

// Of describes the captured function as it is after a switch under its own name.
// repository is the ECR repository of its image.
func Of(s *snapshot.Snapshot, repository string) (*infra.Function, error) {
	var c types.FunctionConfiguration
	if err := json.Unmarshal(s.Config, &c); err != nil {
		return nil, fmt.Errorf("read the configuration of %s in the snapshot: %w", s.Function, err)
	}
	f := FromConfiguration(&c)
	f.Name, f.Region, f.Account, f.Repository = s.Function, s.Region, s.Account, repository
	d := &drawing{f: f, s: s}
	// Aliases first: the rest refers to them.
	for _, kind := range append([]string{snapshot.KindAlias}, slices.DeleteFunc(slices.Sorted(maps.Keys(readers)), func(k string) bool { return k == snapshot.KindAlias })...) {
		for _, a := range s.Attachments {
			if a.Kind != kind {
				continue
			}
			switch {
			case a.Reading == snapshot.Denied || a.Reading == snapshot.Failed:
				d.note("%s could not be read, so it is not here: %s", a.What(), a.Message)
			case a.Reading == snapshot.Present && !d.placed(a):
				d.note("%s belongs to a version that is not made again: it is not here", a.What())
			case a.Reading == snapshot.Present:
				if err := readers[kind](d, a); err != nil {
					return nil, fmt.Errorf("read the %s of %s in the snapshot: %w", a.What(), s.Function, err)
				}
			}
		}
	}
	slices.SortFunc(f.Mappings, func(a, b infra.Mapping) int {
		return strings.Compare(fmt.Sprint(a.Settings["EventSourceArn"], a.Qualifier), fmt.Sprint(b.Settings["EventSourceArn"], b.Qualifier))
	})
	return f, nil
}

type drawing struct {
	f *infra.Function
	s *snapshot.Snapshot
}

// readers are the kinds of attachment that have a counterpart in code. The others
// are about zips, or about what is running.
var readers = map[string]func(*drawing, snapshot.Attachment) error{
	snapshot.KindAlias: (*drawing).alias, snapshot.KindPolicy: (*drawing).policy, snapshot.KindMapping: (*drawing).mapping,
	snapshot.KindURL: (*drawing).url, snapshot.KindReserved: (*drawing).reserved, snapshot.KindProvisioned: (*drawing).provisioned,
	snapshot.KindAsync: (*drawing).async, snapshot.KindRecursion: (*drawing).recursion, snapshot.KindTags: (*drawing).tags, snapshot.KindCodeSigning: (*drawing).codeSigning,
}

func (d *drawing) note(format string, args ...any) {
	d.f.Notes = append(d.f.Notes, fmt.Sprintf(format, args...))
}

// placed reports whether what the attachment belongs to is in the description: the
// function itself, or one of its aliases.
func (d *drawing) placed(a snapshot.Attachment) bool {
	return a.Kind == snapshot.KindAlias || a.Qualifier == "" ||
		slices.ContainsFunc(d.f.Aliases, func(x infra.Alias) bool { return x.Name == a.Qualifier })
}

// FromConfiguration describes the function itself, without what is attached to it.
func FromConfiguration(c *types.FunctionConfiguration) *infra.Function {
	f := &infra.Function{
		Name: aws.ToString(c.FunctionName),
		Role: aws.ToString(c.Role), Description: aws.ToString(c.Description), Architecture: string(types.ArchitectureX8664),
		MemoryMB: int(aws.ToInt32(c.MemorySize)), TimeoutSec: int(aws.ToInt32(c.Timeout)), KMSKey: aws.ToString(c.KMSKeyArn),
	}
	if parsed, err := arn.Parse(aws.ToString(c.FunctionArn)); err == nil {
		f.Region, f.Account = parsed.Region, parsed.AccountID
	}
	if len(c.Architectures) > 0 {
		f.Architecture = string(c.Architectures[0])
	}
	if c.EphemeralStorage != nil {
		f.EphemeralMB = int(aws.ToInt32(c.EphemeralStorage.Size))
	}
	if c.Environment != nil {
		f.EnvNames = slices.Sorted(maps.Keys(c.Environment.Variables))
		if c.Environment.Error != nil {
			f.Notes = append(f.Notes, "Lambda could not read the environment: its variables are not here")
		}
	}
	if v := c.VpcConfig; v != nil && len(v.SubnetIds) > 0 {
		f.Subnets, f.Groups, f.IPv6 = v.SubnetIds, v.SecurityGroupIds, aws.ToBool(v.Ipv6AllowedForDualStack)
	}
	if c.DeadLetterConfig != nil {
		f.DeadLetter = aws.ToString(c.DeadLetterConfig.TargetArn)
	}
	if c.TracingConfig != nil {
		f.Tracing = string(c.TracingConfig.Mode)
	}
	for _, fs := range c.FileSystemConfigs {
		f.FileSystems = append(f.FileSystems, infra.FileSystem{ARN: aws.ToString(fs.Arn), Path: aws.ToString(fs.LocalMountPath)})
		if fs.S3FilesConfig != nil {
			f.Notes = append(f.Notes, "the file system at "+aws.ToString(fs.LocalMountPath)+" has settings for S3 that are not here")
		}
	}
	if l := c.LoggingConfig; l != nil {
		f.Logging = &infra.Logging{Format: string(l.LogFormat), ApplicationLevel: string(l.ApplicationLogLevel),
			SystemLevel: string(l.SystemLogLevel), Group: aws.ToString(l.LogGroup)}
	}
	if d := c.DurableConfig; d != nil {
		f.Durable = &infra.Durable{TimeoutSec: int(aws.ToInt32(d.ExecutionTimeout)), RetentionDays: int(aws.ToInt32(d.RetentionPeriodInDays))}
	}
	if c.SnapStart != nil && c.SnapStart.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		f.Notes = append(f.Notes, "SnapStart is left out: Lambda takes it for images too, but some bases need a label for it")
	}
	return f
}

func (d *drawing) alias(a snapshot.Attachment) error {
	var v types.AliasConfiguration
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	d.f.Aliases = append(d.f.Aliases, infra.Alias{Name: aws.ToString(v.Name), Description: aws.ToString(v.Description)})
	if v.RoutingConfig != nil && len(v.RoutingConfig.AdditionalVersionWeights) > 0 {
		d.note("alias %s shares its traffic between versions: here it points to one", aws.ToString(v.Name))
	}
	return nil
}

func (d *drawing) url(a snapshot.Attachment) error {
	var v types.FunctionUrlConfig
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	u := infra.URL{Qualifier: a.Qualifier, Auth: string(v.AuthType), InvokeMode: string(v.InvokeMode)}
	if v.Cors != nil {
		var err error
		if u.CORS, err = settings(v.Cors); err != nil {
			return err
		}
	}
	d.f.URLs = append(d.f.URLs, u)
	return nil
}

func (d *drawing) reserved(a snapshot.Attachment) error {
	var v lambda.GetFunctionConcurrencyOutput
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	if v.ReservedConcurrentExecutions != nil {
		d.f.Reserved = aws.Int(int(*v.ReservedConcurrentExecutions))
	}
	return nil
}

func (d *drawing) provisioned(a snapshot.Attachment) error {
	var v types.ProvisionedConcurrencyConfigListItem
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	for i := range d.f.Aliases {
		if d.f.Aliases[i].Name == a.Qualifier {
			d.f.Aliases[i].Provisioned = int(aws.ToInt32(v.RequestedProvisionedConcurrentExecutions))
		}
	}
	return nil
}

func (d *drawing) async(a snapshot.Attachment) error {
	var v types.FunctionEventInvokeConfig
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	out := infra.Async{Qualifier: a.Qualifier}
	if v.MaximumEventAgeInSeconds != nil {
		out.AgeSec = aws.Int(int(*v.MaximumEventAgeInSeconds))
	}
	if v.MaximumRetryAttempts != nil {
		out.Retries = aws.Int(int(*v.MaximumRetryAttempts))
	}
	if t := v.DestinationConfig; t != nil {
		if t.OnSuccess != nil {
			out.OnSuccess = aws.ToString(t.OnSuccess.Destination)
		}
		if t.OnFailure != nil {
			out.OnFailure = aws.ToString(t.OnFailure.Destination)
		}
	}
	d.f.Async = append(d.f.Async, out)
	return nil
}

func (d *drawing) recursion(a snapshot.Attachment) error {
	var v lambda.GetFunctionRecursionConfigOutput
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	d.f.AllowRecursion = v.RecursiveLoop == types.RecursiveLoopAllow
	return nil
}

// tags leaves out the ones that AWS sets itself.
func (d *drawing) tags(a snapshot.Attachment) error {
	var v lambda.ListTagsOutput
	if err := json.Unmarshal(a.Value, &v); err != nil {
		return err
	}
	maps.DeleteFunc(v.Tags, func(k, _ string) bool { return strings.HasPrefix(k, "aws:") })
	if len(v.Tags) > 0 {
		d.f.Tags = v.Tags
	}
	return nil
}

func (d *drawing) codeSigning(snapshot.Attachment) error {
	d.note("code signing does not exist for images")
	return nil
}

// mappingFields are the settings of a mapping that can be given at creation, in
// the words of the API and of CloudFormation
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html).
var mappingFields = strings.Fields(`AmazonManagedKafkaEventSourceConfig BatchSize BisectBatchOnFunctionError DestinationConfig
	DocumentDBEventSourceConfig EventSourceArn FilterCriteria FunctionResponseTypes MaximumBatchingWindowInSeconds
	MaximumRecordAgeInSeconds MaximumRetryAttempts MetricsConfig ParallelizationFactor ProvisionedPollerConfig Queues ScalingConfig
	SelfManagedEventSource SelfManagedKafkaEventSourceConfig SourceAccessConfigurations StartingPosition Topics TumblingWindowInSeconds`)

func (d *drawing) mapping(a snapshot.Attachment) error {
	var all map[string]any
	if err := unmarshal(a.Value, &all); err != nil {
		return err
	}
	m := infra.Mapping{Qualifier: a.Qualifier, Settings: map[string]any{}}
	for _, name := range mappingFields {
		if v := prune(all[name]); v != nil {
			m.Settings[name] = v
		}
	}
	if m.Settings["TumblingWindowInSeconds"] == json.Number("0") {
		delete(m.Settings, "TumblingWindowInSeconds") // none
	}
	if key := prune(all["KMSKeyArn"]); key != nil {
		m.Settings["KmsKeyArn"] = key
	}
	if m.Settings["StartingPosition"] == string(types.EventSourcePositionAtTimestamp) {
		d.note("the mapping of %v reads from a moment on: give its StartingPositionTimestamp", m.Settings["EventSourceArn"])
	}
	state := fmt.Sprint(all["State"])
	m.Settings["Enabled"] = state != "Disabled" && state != "Disabling"
	d.f.Mappings = append(d.f.Mappings, m)
	return nil
}

// settings are a value of the API as plain data.
func settings(v any) (map[string]any, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := unmarshal(raw, &out); err != nil {
		return nil, err
	}
	m, _ := prune(out).(map[string]any)
	return m, nil
}

// unmarshal keeps numbers as they are written.
func unmarshal(raw []byte, v any) error {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	return dec.Decode(v)
}

// prune takes out what is not set: null, empty text, empty lists and objects.
func prune(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
	case map[string]any:
		for k, e := range v {
			if e = prune(e); e == nil {
				delete(v, k)
			} else {
				v[k] = e
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
		v = slices.DeleteFunc(v, func(e any) bool { return e == nil })
		if len(v) == 0 {
			return nil
		}
		return v
	}
	return v
}
