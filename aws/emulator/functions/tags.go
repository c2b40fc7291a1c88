package functions

import (
	"context"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Recorded in test_tag_exceptions.
const patternTaggable = `arn:(aws[a-zA-Z-]*):lambda:` + patternRegion + `:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)`

var matchTaggable = whole(patternTaggable)

// checkTags: keys of the aws: namespace are AWS's own
// (docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html); keys have up
// to 128 characters, values 256, and a resource 50 tags.
func checkTags(c wire.Call, tags map[string]string) error {
	for _, k := range keys(tags) {
		switch {
		case k == "" || len([]rune(k)) > 128:
			return badValue(k, "tags", "Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]")
		case len([]rune(tags[k])) > 256:
			return badValue(k, "tags", "Map value must satisfy constraint: [Member must have length less than or equal to 256]")
		case strings.HasPrefix(strings.ToLower(k), "aws:") && !c.Privileged:
			return invalid("Tag keys that start with aws: are reserved for system use: %s", k)
		}
	}
	return tooManyTags(tags)
}

func tooManyTags(tags map[string]string) error {
	n := 0
	for k := range tags {
		if !strings.HasPrefix(k, "aws:") { // system tags do not count
			n++
		}
	}
	if n > 50 { // recorded in test_tag_limits
		return invalid("Number of tags exceeds resource tag limit.")
	}
	return nil
}

// tagged finds where the tags of a resource are kept. The caller holds s.mu.
func (s *Store) tagged(c wire.Call, arn *string) (*map[string]string, error) {
	if val(arn) == "" {
		return nil, missing("resource")
	}
	if !matchTaggable.MatchString(*arn) {
		return nil, badPattern(*arn, "resource", patternTaggable)
	}
	r := s.in(c)
	p := strings.Split(*arn, ":")
	kind, id := p[5], p[6]
	switch kind {
	case "function":
		n, err := splitName(c, *arn, nil)
		if err != nil {
			return nil, err
		}
		if n.Qualifier != "" {
			return nil, invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
		}
		f := r.Functions[n.Function]
		if f == nil {
			return nil, noFunction(*arn)
		}
		return &f.Tags, nil
	case "event-source-mapping":
		if m := s.mapping(c, id); m != nil && p[4] == c.Account && p[3] == c.Region {
			return &m.Tags, nil
		}
		return nil, notFound("Event source mapping not found: %s", *arn)
	case "layer":
		if l := r.Layers[id]; l != nil && p[4] == c.Account && p[3] == c.Region {
			return &l.Tags, nil
		}
	case "code-signing-config":
		if r.CodeSigning[*arn] != nil {
			tags := r.SigningTags[*arn]
			if tags == nil {
				tags = map[string]string{}
				r.SigningTags[*arn] = tags
			}
			return &tags, nil
		}
	case "capacity-provider":
		return nil, notFound("Capacity provider not found: %s", *arn)
	}
	return nil, gone()
}

func (s *Store) tagResource(_ context.Context, c wire.Call, in *lambda.TagResourceInput) (*lambda.TagResourceOutput, error) {
	if in.Tags == nil {
		return nil, missing("tags")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.tagged(c, in.Resource)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 { // recorded in test_tag_exceptions
		return nil, invalid("An error occurred and the request cannot be processed.")
	}
	if err := checkTags(c, in.Tags); err != nil {
		return nil, err
	}
	tags := map[string]string{}
	maps.Copy(tags, *at)
	maps.Copy(tags, in.Tags)
	if err := tooManyTags(tags); err != nil {
		return nil, err
	}
	s.retag(c, at, *in.Resource, tags)
	return &lambda.TagResourceOutput{}, nil
}

func (s *Store) untagResource(_ context.Context, c wire.Call, in *lambda.UntagResourceInput) (*lambda.UntagResourceOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, missing("tagKeys")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.tagged(c, in.Resource)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	maps.Copy(tags, *at)
	for _, k := range in.TagKeys {
		if strings.HasPrefix(strings.ToLower(k), "aws:") && !c.Privileged {
			return nil, invalid("Tag keys that start with aws: are reserved for system use: %s", k)
		}
		delete(tags, k)
	}
	s.retag(c, at, *in.Resource, tags)
	return &lambda.UntagResourceOutput{}, nil
}

// retag stores a resource's tags where tagged has found them.
func (s *Store) retag(c wire.Call, at *map[string]string, arn string, tags map[string]string) {
	*at = tags
	if strings.Contains(arn, ":code-signing-config:") {
		s.in(c).SigningTags[arn] = tags
	}
}

func (s *Store) listTags(_ context.Context, c wire.Call, in *lambda.ListTagsInput) (*lambda.ListTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, err := s.tagged(c, in.Resource)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{} // never left out: recorded in test_tag_exceptions
	maps.Copy(tags, *at)
	return &lambda.ListTagsOutput{Tags: tags}, nil
}
