package functions

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

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
		// https://github.com/ansible-collections/amazon.aws/issues/1995
		err = invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	return err
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

// updateMapping applies the settings that were given.
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
