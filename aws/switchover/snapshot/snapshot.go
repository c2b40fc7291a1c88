package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Reading tells how an attachment was read. "Not there" and "not allowed to
// look" are different answers.
type Reading string

// The outcomes of reading one attachment.
const (
	Present Reading = "present"
	Absent  Reading = "absent"
	Denied  Reading = "denied"
	Failed  Reading = "failed"
)

// The kinds of attachment, as they stand in Attachment.Kind.
const (
	KindVersions       = "versions"
	KindCode           = "code"
	KindLayer          = "layer"
	KindAlias          = "alias"
	KindPolicy         = "policy"
	KindResourcePolicy = "resource-policy"
	KindMapping        = "event-source-mapping"
	KindURL            = "function-url"
	KindReserved       = "reserved-concurrency"
	KindProvisioned    = "provisioned-concurrency"
	KindAsync          = "async-config"
	KindCodeSigning    = "code-signing"
	KindRuntime        = "runtime-management"
	KindRecursion      = "recursion"
	KindScaling        = "scaling"
	KindTags           = "tags"
	KindDurable        = "durable-executions"
)

// Latest is the qualifier of the unpublished version.
const Latest = "$LATEST"

// Attachment is one thing of a function, as captured.
type Attachment struct {
	Kind string `json:"kind"` // "policy", "alias", "event-source-mapping", "tags" …
	// Qualifier is the version or alias it belongs to; "" is the function itself.
	Qualifier string          `json:"qualifier,omitempty"`
	Name      string          `json:"name,omitempty"` // alias name, mapping UUID, layer ARN
	Reading   Reading         `json:"reading"`
	Message   string          `json:"message,omitempty"` // why Denied or Failed
	Value     json.RawMessage `json:"value,omitempty"`   // as the API answered, secrets included: a Snapshot is a secret
}

// What names the attachment for people.
func (a Attachment) What() string {
	s := strings.ReplaceAll(a.Kind, "-", " ")
	if a.Name != "" {
		s += " " + a.Name
	}
	if a.Qualifier != "" && a.Qualifier != a.Name {
		s += " of " + a.Qualifier
	}
	return s
}

// Snapshot is all that a function is and has attached. It holds environment
// values: it is written owner-only and never printed.
type Snapshot struct {
	Schema      int             `json:"schema"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Function    string          `json:"function"` // name
	ARN         string          `json:"arn"`      // unqualified
	Taken       time.Time       `json:"taken"`
	RevisionID  string          `json:"revisionId"`
	CodeSHA256  string          `json:"codeSha256"`
	Config      json.RawMessage `json:"config"`   // FunctionConfiguration of $LATEST
	Versions    []Version       `json:"versions"` // oldest first
	Attachments []Attachment    `json:"attachments"`
}

// Version is a published version.
type Version struct {
	Number string          `json:"number"`
	Config json.RawMessage `json:"config"`
}

// Encode keeps what the API answered. Fields that it left out stay left out.
func Encode(v any) (json.RawMessage, error) {
	whole, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(whole, &fields); err != nil {
		return nil, err
	}
	delete(fields, "ResultMetadata")
	for name, value := range fields {
		if string(value) == "null" {
			delete(fields, name)
		}
	}
	return json.Marshal(fields)
}

// Decode reads what Encode kept.
func Decode[T any](raw json.RawMessage) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

// ConfigOf decodes the configuration of a qualifier: "", $LATEST or a version.
func (s *Snapshot) ConfigOf(qualifier string) (types.FunctionConfiguration, error) {
	raw := s.Config
	if qualifier != "" && qualifier != Latest {
		i := slices.IndexFunc(s.Versions, func(v Version) bool { return v.Number == qualifier })
		if i < 0 {
			return types.FunctionConfiguration{}, fmt.Errorf("the snapshot of %s has no version %s", s.Function, qualifier)
		}
		raw = s.Versions[i].Config
	}
	c, err := Decode[types.FunctionConfiguration](raw)
	if err != nil {
		return c, fmt.Errorf("read the configuration of %s:%s in the snapshot: %w", s.Function, qualifier, err)
	}
	return c, nil
}

// All returns the attachments of a kind that are there.
func (s *Snapshot) All(kind string) []Attachment {
	var found []Attachment
	for _, a := range s.Attachments {
		if a.Kind == kind && a.Reading == Present {
			found = append(found, a)
		}
	}
	return found
}

// One returns the attachment of a kind and qualifier, whatever its reading.
func (s *Snapshot) One(kind, qualifier string) (Attachment, bool) {
	for _, a := range s.Attachments {
		if a.Kind == kind && a.Qualifier == qualifier {
			return a, true
		}
	}
	return Attachment{}, false
}

// Carried are the versions that something refers to, in the order they
// were published. Only these are made again.
func (s *Snapshot) Carried() []string {
	used := map[string]bool{}
	for _, a := range s.Attachments {
		if a.Reading != Present || a.Kind == KindCode || a.Kind == KindRuntime {
			continue
		}
		used[a.Qualifier] = true
		if a.Kind != KindAlias {
			continue
		}
		if alias, err := Decode[types.AliasConfiguration](a.Value); err == nil {
			used[aws.ToString(alias.FunctionVersion)] = true
			if alias.RoutingConfig != nil {
				for number := range alias.RoutingConfig.AdditionalVersionWeights {
					used[number] = true
				}
			}
		}
	}
	var carried []string
	for _, v := range s.Versions {
		if used[v.Number] {
			carried = append(carried, v.Number)
		}
	}
	return carried
}

// byNumber orders version numbers as numbers.
func byNumber(a, b string) int {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	switch {
	case errX != nil || errY != nil:
		return strings.Compare(a, b)
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// IsVersion tells a version number from an alias name, which needs a letter or
// a sign (https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html).
func IsVersion(qualifier string) bool {
	return qualifier != "" && strings.Trim(qualifier, "0123456789") == ""
}

// Secrets are the texts of a snapshot that may appear nowhere else: environment
// values and event source tokens.
func (s *Snapshot) Secrets() []string {
	var found []string
	for _, q := range append([]string{Latest}, Numbers(s.Versions)...) {
		c, err := s.ConfigOf(q)
		if err != nil || c.Environment == nil {
			continue
		}
		for _, value := range c.Environment.Variables {
			found = append(found, value)
		}
	}
	for _, a := range append(s.All(KindPolicy), s.All(KindResourcePolicy)...) {
		statements, err := Statements(a)
		if err != nil {
			continue
		}
		for _, st := range statements {
			if token := st.ConditionValue("StringEquals", "lambda:EventSourceToken"); token != "" {
				found = append(found, token)
			}
		}
	}
	return found
}

// Numbers are the versions' numbers.
func Numbers(versions []Version) []string {
	numbers := make([]string, len(versions))
	for i, v := range versions {
		numbers[i] = v.Number
	}
	return numbers
}

// UserTags are the tags that a user can set again.
func (s *Snapshot) UserTags() (map[string]string, error) {
	tags := map[string]string{}
	for _, a := range s.All(KindTags) {
		got, err := Decode[struct{ Tags map[string]string }](a.Value)
		if err != nil {
			return nil, err
		}
		for k, v := range got.Tags {
			if !strings.HasPrefix(strings.ToLower(k), "aws:") {
				tags[k] = v
			}
		}
	}
	return tags, nil
}

// LayerARNs lists a configuration's layers in their order.
func LayerARNs(c types.FunctionConfiguration) []string {
	var arns []string
	for _, l := range c.Layers {
		arns = append(arns, aws.ToString(l.Arn))
	}
	return arns
}
