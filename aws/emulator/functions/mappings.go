package functions

import (
	"context"
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

// busyMapping is AWS's answer to a change while another is under way (SDK,
// UpdateEventSourceMapping; the text is what many clients look for).
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
