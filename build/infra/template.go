package infra

import (
	"maps"
	"slices"
)

// The values of a template besides strings, numbers, booleans and []any.
type (
	// props are properties, in order; their names belong to the language.
	props []prop
	prop  struct {
		name  string
		value any
	}
	// data is a map whose keys belong to the user.
	data map[string]any
	// ref is a parameter's or resource's value, or one of its attributes.
	ref struct{ name, attribute string }
)

type parameter struct {
	name, about string
	secret      bool
	value       *string // default
}

type resource struct {
	name, kind  string // "Function", "AWS::Lambda::Function"
	conditional bool   // exists only once there is an image
	keep        bool   // is not deleted with the stack
	props       props
}

type template struct {
	parameters []parameter
	resources  []resource
	used       map[string]bool
}

func (p *props) add(name string, value any) { *p = append(*p, prop{name, value}) }

// set adds a property that is not its type's zero value.
func set[T comparable](p *props, name string, value T) {
	if zero := *new(T); value != zero {
		p.add(name, value)
	}
}

// image is the parameter that everything but the repository waits for.
const image = "Image"

func (t *template) secret(prefix, name, about string) ref {
	id := identifier(prefix, name, t.used)
	t.parameters = append(t.parameters, parameter{name: id, about: about, secret: true})
	return ref{name: id}
}

func (t *template) resource(name, kind string, p props) *resource {
	t.resources = append(t.resources, resource{name: name, kind: kind, conditional: true, props: p})
	return &t.resources[len(t.resources)-1]
}

// newTemplate describes f in CloudFormation's words
// (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html).
// The function itself is written by the caller, whose words for it may differ.
func newTemplate(f *Function, function func(t *template) *resource) *template {
	t := &template{used: map[string]bool{image: true, "Repository": true, "Function": true, "Version": true}}
	t.parameters = []parameter{{
		name: image, value: &f.Image,
		about: "The image's address, pinned: REPOSITORY@sha256:DIGEST. Empty makes the repository only, to push to.",
	}}
	repository := t.resource("Repository", "AWS::ECR::Repository", props{
		{"RepositoryName", f.Repository},
		{"RepositoryPolicyText", data{
			"Version": "2012-10-17",
			"Statement": []any{data{
				"Sid": "LambdaECRImageRetrievalPolicy", "Effect": "Allow", "Principal": data{"Service": "lambda.amazonaws.com"},
				"Action": []any{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
			}},
		}},
	})
	repository.conditional, repository.keep = false, true
	function(t).keep = true
	aliases := t.aliases(f)
	target := func(qualifier string) any {
		if id, ok := aliases[qualifier]; ok {
			return ref{name: id} // an alias's Ref is its ARN
		}
		return ref{name: "Function"}
	}
	t.permissions(f, target)
	t.async(f, aliases)
	t.urls(f, aliases)
	t.mappings(f, target)
	return t
}

func (t *template) aliases(f *Function) map[string]string {
	ids := map[string]string{}
	if len(f.Aliases) == 0 {
		return ids
	}
	t.resource("Version", "AWS::Lambda::Version", props{{"FunctionName", ref{name: "Function"}}})
	for _, a := range f.Aliases {
		id := identifier("Alias", a.Name, t.used)
		ids[a.Name] = id
		p := props{{"FunctionName", ref{name: "Function"}}, {"FunctionVersion", ref{"Version", "Version"}}, {"Name", a.Name}}
		set(&p, "Description", a.Description)
		if a.Provisioned > 0 {
			p.add("ProvisionedConcurrencyConfig", props{{"ProvisionedConcurrentExecutions", a.Provisioned}})
		}
		t.resource(id, "AWS::Lambda::Alias", p)
	}
	return ids
}

func (t *template) permissions(f *Function, target func(string) any) {
	for _, s := range f.Permissions {
		p := props{{"FunctionName", target(s.Qualifier)}, {"Action", s.Action}, {"Principal", s.Principal}}
		set(&p, "SourceArn", s.SourceARN)
		set(&p, "SourceAccount", s.SourceAccount)
		set(&p, "PrincipalOrgID", s.OrgID)
		set(&p, "FunctionUrlAuthType", s.URLAuth)
		set(&p, "InvokedViaFunctionUrl", s.ViaURL)
		if s.Token {
			p.add("EventSourceToken", t.secret("Token", s.ID, "Event source token of the permission "+s.ID))
		}
		t.resource(identifier("Permission", s.Qualifier+" "+s.ID, t.used), "AWS::Lambda::Permission", p)
	}
}

func (t *template) async(f *Function, aliases map[string]string) {
	for _, a := range f.Async {
		p := props{{"FunctionName", ref{name: "Function"}}, {"Qualifier", "$LATEST"}}
		if a.Qualifier != "" {
			p[1].value = a.Qualifier
		}
		if a.AgeSec != nil {
			p.add("MaximumEventAgeInSeconds", *a.AgeSec)
		}
		if a.Retries != nil {
			p.add("MaximumRetryAttempts", *a.Retries)
		}
		var to props
		if a.OnSuccess != "" {
			to.add("OnSuccess", props{{"Destination", a.OnSuccess}})
		}
		if a.OnFailure != "" {
			to.add("OnFailure", props{{"Destination", a.OnFailure}})
		}
		if len(to) > 0 {
			p.add("DestinationConfig", to)
		}
		p.waitFor(t, aliases, a.Qualifier)
		t.resource(identifier("AsyncConfig", a.Qualifier, t.used), "AWS::Lambda::EventInvokeConfig", p)
	}
}

// waitFor makes a resource that names its alias by name depend on it.
func (p *props) waitFor(_ *template, aliases map[string]string, qualifier string) {
	if id := aliases[qualifier]; id != "" {
		p.add(dependsOn, id)
	}
}

// dependsOn is no property but an attribute of the resource.
const dependsOn = "DependsOn"

func (t *template) urls(f *Function, aliases map[string]string) {
	for _, u := range f.URLs {
		p := props{{"TargetFunctionArn", ref{"Function", "Arn"}}, {"AuthType", u.Auth}}
		set(&p, "Qualifier", u.Qualifier)
		set(&p, "InvokeMode", u.InvokeMode)
		if len(u.CORS) > 0 {
			p.add("Cors", sorted(u.CORS))
		}
		p.waitFor(t, aliases, u.Qualifier)
		t.resource(identifier("Url", u.Qualifier, t.used), "AWS::Lambda::Url", p)
	}
}

func (t *template) mappings(f *Function, target func(string) any) {
	for i, m := range f.Mappings {
		p := props{{"FunctionName", target(m.Qualifier)}}
		settings := maps.Clone(m.Settings)
		if s, ok := settings["SelfManagedEventSource"].(map[string]any); ok {
			if e, ok := s["Endpoints"].(map[string]any); ok {
				settings["SelfManagedEventSource"] = map[string]any{"Endpoints": map[string]any{"KafkaBootstrapServers": e["KAFKA_BOOTSTRAP_SERVERS"]}}
			}
		}
		p = append(p, sorted(settings)...)
		t.resource(identifier("Mapping", letters(i), t.used), "AWS::Lambda::EventSourceMapping", p)
	}
}

// letters numbers things without digits at the end, which identifier adds.
func letters(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s = letters(i/26-1) + s
	}
	return s
}

// sorted turns settings in the API's words into properties.
func sorted(m map[string]any) props {
	var p props
	for _, k := range slices.Sorted(maps.Keys(m)) {
		p.add(k, properties(m[k]))
	}
	return p
}

func properties(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return sorted(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = properties(v[i])
		}
		return out
	case []string:
		return list(v)
	default:
		return v
	}
}

func list(words []string) []any {
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}
