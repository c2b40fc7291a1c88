package functions

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// mapping is one event source mapping. It is bound to the function's ARN, not
// to the function: deleting the function leaves it (recorded in
// test_event_source_mapping_lifecycle_delete_function), and a function created
// under the same name has it again
// (https://github.com/serverless/serverless/issues/4471).
type mapping struct {
	Config types.EventSourceMappingConfiguration // State is "" : it is computed
	// During holds until Until; After from then on. "Deleted" is gone.
	During, After string
	Until         time.Time
	Tags          map[string]string
}

const deleted = "Deleted"

// mapping finds a mapping, and drops it once its deletion is through. The
// caller holds s.mu.
func (s *Store) mapping(c wire.Call, id string) *mapping {
	r := s.in(c)
	m := r.Mappings[id]
	if m != nil && m.After == deleted && !s.opts.Now().Before(m.Until) {
		delete(r.Mappings, id)
		return nil
	}
	return m
}

// busy reports whether a change of the mapping is under way.
func (s *Store) busy(m *mapping) bool { return s.opts.Now().Before(m.Until) }

// move starts a transition.
func (s *Store) move(c wire.Call, m *mapping, during, after string) {
	m.During, m.After, m.Until = during, after, s.opts.Now().Add(s.opts.Delay)
	if c.Privileged {
		m.Until = s.opts.Now()
	}
	m.Config.LastModified = ptr(c.Now.UTC().Truncate(time.Millisecond))
}

func (s *Store) mappingView(m *mapping) types.EventSourceMappingConfiguration {
	out := m.Config
	out.State = &m.After
	if s.busy(m) {
		out.State = &m.During
	}
	return out
}

// source is what kind of event source a mapping has.
type source int

const (
	unknownSource source = iota
	queue
	stream // Kinesis and DynamoDB
	kafka
	broker // Amazon MQ and DocumentDB
)

func sourceOf(arn *string, self *types.SelfManagedEventSource) source {
	if arn == nil {
		if self != nil {
			return kafka
		}
		return unknownSource
	}
	p := strings.SplitN(*arn, ":", 6)
	if len(p) < 6 || p[0] != "arn" {
		return unknownSource
	}
	switch p[2] {
	case "sqs":
		return queue
	case "kinesis", "dynamodb":
		return stream
	case "kafka":
		return kafka
	case "mq", "rds", "docdb":
		return broker
	}
	return unknownSource
}

func (s *Store) createMapping(_ context.Context, c wire.Call, in *lambda.CreateEventSourceMappingInput) (*types.EventSourceMappingConfiguration, error) {
	n, err := parseName(c, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	kind := sourceOf(in.EventSourceArn, in.SelfManagedEventSource)
	if err := checkMapping(in, kind); err != nil {
		return nil, err
	}
	if err := checkTags(c, in.Tags); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, _, err := s.lookup(c, n)
	if err != nil { // recorded in test_event_source_mapping_exceptions: a 400
		return nil, invalid("Function does not exist")
	}
	arn := functionARN(c, f.Name)
	// A full ARN with $LATEST loses it, a partial one keeps it: recorded in
	// test_function_name_variations.
	if n.Qualifier != "" && (n.Qualifier != "$LATEST" || !n.FullARN) {
		arn += ":" + n.Qualifier
	}
	if err := s.duplicate(c, in, kind, arn, f.Name); err != nil {
		return nil, err
	}
	id := uuid()
	m := &mapping{Tags: maps.Clone(in.Tags), Config: newMapping(in, kind)}
	m.Config.UUID, m.Config.FunctionArn = &id, &arn
	m.Config.EventSourceMappingArn = ptr("arn:" + c.Partition() + ":lambda:" + c.Region + ":" + c.Account + ":event-source-mapping:" + id)
	after := "Enabled"
	if in.Enabled != nil && !*in.Enabled {
		after = "Disabled"
	}
	s.move(c, m, "Creating", after)
	s.in(c).Mappings[id] = m
	out := s.mappingView(m)
	return &out, nil
}

// checkMapping: the refusals are recorded in test_event_source_mapping_exceptions,
// test_create_event_source_validation and test_event_source_mapping_default_batch_size.
func checkMapping(in *lambda.CreateEventSourceMappingInput, kind source) error {
	if err := oneOf(in.StartingPosition, "startingPosition", types.EventSourcePosition("").Values()); err != nil {
		return err
	}
	if kind == unknownSource {
		return invalid("Unrecognized event source.")
	}
	if (kind == stream || kind == kafka) && in.StartingPosition == "" {
		return invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.")
	}
	if in.StartingPosition == types.EventSourcePositionAtTimestamp && in.EventSourceArn != nil && strings.Contains(*in.EventSourceArn, ":dynamodb:") {
		return invalid("Unsupported starting position for arn type: %s", *in.EventSourceArn)
	}
	if in.SelfManagedEventSource != nil && len(in.SourceAccessConfigurations) == 0 { // recorded in test_create_event_source_self_managed
		return invalid("Required 'sourceAccessConfigurations' parameter is missing.")
	}
	if kind == queue && in.DestinationConfig != nil {
		return invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
	}
	return first(
		checkFilters(in.FilterCriteria),
		checkBatch(kind, in.BatchSize, in.MaximumBatchingWindowInSeconds),
		between(in.MaximumRecordAgeInSeconds, "maximumRecordAgeInSeconds", -1, 604800),
		between(in.MaximumRetryAttempts, "maximumRetryAttempts", -1, 10000),
		between(in.ParallelizationFactor, "parallelizationFactor", 1, 10),
		between(in.TumblingWindowInSeconds, "tumblingWindowInSeconds", 0, 900),
	)
}

// checkFilters is recorded in test_dynamodb_invalid_event_filter.
func checkFilters(f *types.FilterCriteria) error {
	if f == nil {
		return nil
	}
	for _, x := range f.Filters {
		var pattern map[string]any
		if x.Pattern != nil && json.Unmarshal([]byte(*x.Pattern), &pattern) != nil {
			return invalid("Invalid filter pattern definition.")
		}
	}
	return nil
}

func checkBatch(kind source, size, window *int32) error {
	err := first(between(size, "batchSize", 1, 10000), between(window, "maximumBatchingWindowInSeconds", 0, 300))
	if err == nil && kind == queue && val(size) > 10 && val(window) == 0 {
		err = invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	return err
}

// duplicate refuses the same source for the same function again; recorded in
// test_duplicate_event_source_mappings and test_create_event_source_self_managed.
func (s *Store) duplicate(c wire.Call, in *lambda.CreateEventSourceMappingInput, kind source, arn, function string) error {
	for id := range s.in(c).Mappings {
		m := s.mapping(c, id)
		if m == nil || *m.Config.FunctionArn != arn || !sameSource(&m.Config, in) {
			continue
		}
		switch {
		case kind == queue:
			return conflict(`An event source mapping with SQS arn (" %s ") and function (" %s ") already exists. Please update or delete the existing mapping with UUID %s`, *in.EventSourceArn, function, id)
		case in.SelfManagedEventSource != nil:
			return conflict(`An event source mapping with event source ("%s"), function ("%s"), topics ("%s") already exists. Please update or delete the existing mapping with UUID %s`, strings.Join(servers(in.SelfManagedEventSource), ","), arn, strings.Join(in.Topics, ","), id)
		default:
			return conflict(`The event source arn (" %s ") and function (" %s ") provided mapping already exists. Please update or delete the existing mapping with UUID %s`, *in.EventSourceArn, function, id)
		}
	}
	return nil
}

func servers(s *types.SelfManagedEventSource) []string {
	if s == nil {
		return nil
	}
	return s.Endpoints["KAFKA_BOOTSTRAP_SERVERS"]
}

func sameSource(had *types.EventSourceMappingConfiguration, in *lambda.CreateEventSourceMappingInput) bool {
	if in.EventSourceArn != nil {
		return val(had.EventSourceArn) == *in.EventSourceArn && slices.Equal(had.Topics, in.Topics) && slices.Equal(had.Queues, in.Queues)
	}
	if had.SelfManagedEventSource == nil || !slices.Equal(had.Topics, in.Topics) {
		return false
	}
	return slices.ContainsFunc(servers(in.SelfManagedEventSource), func(a string) bool {
		return slices.Contains(servers(had.SelfManagedEventSource), a)
	})
}

// newMapping fills in the defaults (SDK, CreateEventSourceMapping; recorded in
// test_event_source_mapping_lifecycle and its siblings).
func newMapping(in *lambda.CreateEventSourceMappingInput, kind source) types.EventSourceMappingConfiguration {
	or := func(v *int32, d int32) *int32 {
		if v == nil {
			return &d
		}
		return v
	}
	m := types.EventSourceMappingConfiguration{
		EventSourceArn: in.EventSourceArn, BatchSize: or(in.BatchSize, 100),
		AmazonManagedKafkaEventSourceConfig: in.AmazonManagedKafkaEventSourceConfig,
		DestinationConfig:                   in.DestinationConfig, DocumentDBEventSourceConfig: in.DocumentDBEventSourceConfig,
		FilterCriteria: in.FilterCriteria, FunctionResponseTypes: append([]types.FunctionResponseType{}, in.FunctionResponseTypes...),
		KMSKeyArn: in.KMSKeyArn, LoggingConfig: in.LoggingConfig, MetricsConfig: in.MetricsConfig,
		MaximumBatchingWindowInSeconds: in.MaximumBatchingWindowInSeconds,
		ProvisionedPollerConfig:        in.ProvisionedPollerConfig, Queues: in.Queues, ScalingConfig: in.ScalingConfig,
		SelfManagedEventSource: in.SelfManagedEventSource, SelfManagedKafkaEventSourceConfig: in.SelfManagedKafkaEventSourceConfig,
		SourceAccessConfigurations: in.SourceAccessConfigurations, StartingPosition: in.StartingPosition,
		StartingPositionTimestamp: in.StartingPositionTimestamp, Topics: in.Topics,
		StateTransitionReason: ptr("USER_INITIATED"),
	}
	switch kind {
	case queue:
		m.BatchSize = or(in.BatchSize, 10)
		m.MaximumBatchingWindowInSeconds = or(in.MaximumBatchingWindowInSeconds, 0)
		m.StartingPosition = ""
	case stream:
		m.MaximumBatchingWindowInSeconds = or(in.MaximumBatchingWindowInSeconds, 0)
		m.BisectBatchOnFunctionError = ptr(val(in.BisectBatchOnFunctionError))
		m.MaximumRecordAgeInSeconds = or(in.MaximumRecordAgeInSeconds, -1)
		m.MaximumRetryAttempts = or(in.MaximumRetryAttempts, -1)
		m.ParallelizationFactor = or(in.ParallelizationFactor, 1)
		m.TumblingWindowInSeconds = or(in.TumblingWindowInSeconds, 0)
		if m.DestinationConfig == nil {
			m.DestinationConfig = &types.DestinationConfig{OnFailure: &types.OnFailure{}}
		}
		m.StateTransitionReason = ptr("User action")
		m.LastProcessingResult = ptr("No records processed")
	case kafka, broker:
		m.FunctionResponseTypes = in.FunctionResponseTypes
		m.LastProcessingResult = ptr("No records processed")
	}
	return m
}

func (s *Store) getMapping(_ context.Context, c wire.Call, in *lambda.GetEventSourceMappingInput) (*types.EventSourceMappingConfiguration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mapping(c, val(in.UUID))
	if m == nil {
		return nil, gone()
	}
	out := s.mappingView(m)
	return &out, nil
}

func (s *Store) listMappings(_ context.Context, c wire.Call, in *lambda.ListEventSourceMappingsInput) (*lambda.ListEventSourceMappingsOutput, error) {
	if err := between(in.MaxItems, "maxItems", 1, 10000); err != nil {
		return nil, err
	}
	arn := ""
	if val(in.FunctionName) != "" {
		n, err := parseName(c, in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		arn = n.arn(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, id := range keys(s.in(c).Mappings) {
		m := s.mapping(c, id)
		if m == nil || arn != "" && *m.Config.FunctionArn != arn ||
			val(in.EventSourceArn) != "" && val(m.Config.EventSourceArn) != *in.EventSourceArn {
			continue
		}
		ids = append(ids, id)
	}
	page, next, err := cut(ids, in.Marker, in.MaxItems, 100) // SDK: 100 a page
	out := &lambda.ListEventSourceMappingsOutput{EventSourceMappings: []types.EventSourceMappingConfiguration{}, NextMarker: next}
	for _, id := range page {
		out.EventSourceMappings = append(out.EventSourceMappings, s.mappingView(s.in(c).Mappings[id]))
	}
	return out, err
}

// busyMapping is AWS's answer to a change while another is under way
// (https://github.com/hashicorp/terraform-provider-aws/issues/14709).
func busyMapping(verb string) error {
	return refuse(schemas.ResourceInUseException, "Cannot %s the event source mapping because it is in use.", verb)
}

func (s *Store) updateMapping(_ context.Context, c wire.Call, in *lambda.UpdateEventSourceMappingInput) (*types.EventSourceMappingConfiguration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mapping(c, val(in.UUID))
	if m == nil {
		return nil, gone()
	}
	if s.busy(m) {
		return nil, busyMapping("update")
	}
	kind := sourceOf(m.Config.EventSourceArn, m.Config.SelfManagedEventSource)
	next := m.Config
	if val(in.FunctionName) != "" {
		n, err := parseName(c, in.FunctionName, nil)
		if err != nil {
			return nil, err
		}
		if _, _, err := s.lookup(c, n); err != nil {
			return nil, invalid("Function does not exist")
		}
		next.FunctionArn = ptr(n.arn(c))
	}
	updateMapping(&next, in)
	if kind == queue && in.DestinationConfig != nil {
		return nil, invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
	}
	if err := checkFilters(in.FilterCriteria); err != nil {
		return nil, err
	}
	if err := checkBatch(kind, next.BatchSize, next.MaximumBatchingWindowInSeconds); err != nil {
		return nil, err
	}
	during, after := "Updating", m.After
	if in.Enabled != nil && *in.Enabled && m.After == "Disabled" {
		during, after = "Enabling", "Enabled"
	}
	if in.Enabled != nil && !*in.Enabled && m.After == "Enabled" {
		during, after = "Disabling", "Disabled"
	}
	m.Config = next
	s.move(c, m, during, after)
	out := s.mappingView(m)
	return &out, nil
}

func updateMapping(m *types.EventSourceMappingConfiguration, in *lambda.UpdateEventSourceMappingInput) {
	for _, f := range []struct{ to, from **int32 }{
		{&m.BatchSize, &in.BatchSize}, {&m.MaximumBatchingWindowInSeconds, &in.MaximumBatchingWindowInSeconds},
		{&m.MaximumRecordAgeInSeconds, &in.MaximumRecordAgeInSeconds}, {&m.MaximumRetryAttempts, &in.MaximumRetryAttempts},
		{&m.ParallelizationFactor, &in.ParallelizationFactor}, {&m.TumblingWindowInSeconds, &in.TumblingWindowInSeconds},
	} {
		if *f.from != nil {
			*f.to = *f.from
		}
	}
	if in.BisectBatchOnFunctionError != nil {
		m.BisectBatchOnFunctionError = in.BisectBatchOnFunctionError
	}
	if in.DestinationConfig != nil {
		m.DestinationConfig = in.DestinationConfig
	}
	if in.DocumentDBEventSourceConfig != nil {
		m.DocumentDBEventSourceConfig = in.DocumentDBEventSourceConfig
	}
	if in.FilterCriteria != nil {
		m.FilterCriteria = in.FilterCriteria
		if len(in.FilterCriteria.Filters) == 0 {
			m.FilterCriteria = nil
		}
	}
	if in.FunctionResponseTypes != nil {
		m.FunctionResponseTypes = in.FunctionResponseTypes
	}
	if in.KMSKeyArn != nil {
		m.KMSKeyArn = in.KMSKeyArn
	}
	if in.MetricsConfig != nil {
		m.MetricsConfig = in.MetricsConfig
	}
	if in.ProvisionedPollerConfig != nil {
		m.ProvisionedPollerConfig = in.ProvisionedPollerConfig
	}
	if in.ScalingConfig != nil {
		m.ScalingConfig = in.ScalingConfig
	}
	if in.SourceAccessConfigurations != nil {
		m.SourceAccessConfigurations = in.SourceAccessConfigurations
	}
}

func (s *Store) deleteMapping(_ context.Context, c wire.Call, in *lambda.DeleteEventSourceMappingInput) (*types.EventSourceMappingConfiguration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.mapping(c, val(in.UUID))
	if m == nil {
		return nil, gone()
	}
	if s.busy(m) {
		return nil, busyMapping("delete")
	}
	s.move(c, m, "Deleting", deleted)
	out := s.mappingView(m)
	out.State = &m.During
	return &out, nil
}
