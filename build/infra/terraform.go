package infra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Terraform writes f in HCL for the AWS provider
// (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lambda_function).
func Terraform(f *Function) string {
	w := &terraform{f: f, used: map[string]bool{}, aliases: map[string]string{}}
	w.b.WriteString(f.notes("# "))
	w.b.WriteString("# Make the repository first, push the image, then the rest:\n#   terraform apply -target=aws_ecr_repository_policy.this\n#   terraform apply -var image=URI@sha256:…\n")
	w.repository()
	w.function()
	w.versions()
	w.permissions()
	w.async()
	w.urls()
	w.mappings()
	return w.b.String()
}

type (
	// expression is HCL that is written as it is.
	expression string
	// block is a nested block; everything else in props is an attribute.
	block props
	// object is a value in braces.
	object props
)

type terraform struct {
	f       *Function
	b       strings.Builder
	used    map[string]bool
	aliases map[string]string // name -> the resource's name
}

const thisName = expression("aws_lambda_function.this.function_name")

func (w *terraform) top(head string, body props) {
	fmt.Fprintf(&w.b, "\n%s {\n", head)
	writeHCL(&w.b, body, "  ")
	w.b.WriteString("}\n")
}

func (w *terraform) resource(kind, name string, body props) {
	w.top(fmt.Sprintf("resource %q %q", kind, name), body)
}

// variable declares an input and returns what refers to it.
func (w *terraform) variable(name, about string, kind expression, secret bool) expression {
	body := props{{"description", about}, {"type", kind}}
	set(&body, "sensitive", secret)
	w.top(fmt.Sprintf("variable %q", name), body)
	return expression("var." + name)
}

func (w *terraform) id(prefix, name string) string {
	id := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '_'
	}, strings.ToLower(prefix+name))
	unique := id
	for n := 2; w.used[unique]; n++ {
		unique = fmt.Sprintf("%s_%d", id, n)
	}
	w.used[unique] = true
	return unique
}

func (w *terraform) repository() {
	w.resource("aws_ecr_repository", "this", props{{"name", w.f.Repository}})
	w.resource("aws_ecr_repository_policy", "this", props{
		{"repository", expression("aws_ecr_repository.this.name")},
		{"policy", expression(`jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LambdaECRImageRetrievalPolicy"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })`)},
	})
}

func (w *terraform) function() {
	f := w.f
	image := w.variable("image", "The image's address, pinned: REPOSITORY@sha256:DIGEST.", "string", false)
	p := props{
		{"function_name", f.Name}, {"package_type", "Image"}, {"image_uri", image}, {"role", f.Role}, {"architectures", list([]string{f.Architecture})},
	}
	set(&p, "description", f.Description)
	set(&p, "memory_size", f.MemoryMB)
	set(&p, "timeout", f.TimeoutSec)
	set(&p, "kms_key_arn", f.KMSKey)
	if f.Reserved != nil {
		p.add("reserved_concurrent_executions", *f.Reserved)
	}
	set(&p, "publish", len(f.Aliases) > 0)
	if len(f.Tags) > 0 {
		var tags object
		for _, k := range slices.Sorted(maps.Keys(f.Tags)) {
			tags = append(tags, prop{k, f.Tags[k]})
		}
		p.add("tags", tags)
	}
	if len(f.EnvNames) > 0 {
		values := w.variable("environment", "Values of "+strings.Join(f.EnvNames, ", ")+".", "map(string)", true)
		p.add("environment", block{{"variables", values}})
	}
	if f.EphemeralMB > 0 {
		p.add("ephemeral_storage", block{{"size", f.EphemeralMB}})
	}
	if len(f.Subnets) > 0 {
		vpc := props{{"subnet_ids", list(f.Subnets)}, {"security_group_ids", list(f.Groups)}}
		set(&vpc, "ipv6_allowed_for_dual_stack", f.IPv6)
		p.add("vpc_config", block(vpc))
	}
	if f.DeadLetter != "" {
		p.add("dead_letter_config", block{{"target_arn", f.DeadLetter}})
	}
	if f.Tracing != "" {
		p.add("tracing_config", block{{"mode", f.Tracing}})
	}
	for _, fs := range f.FileSystems {
		p.add("file_system_config", block{{"arn", fs.ARN}, {"local_mount_path", fs.Path}})
	}
	if l := f.Logging; l != nil {
		var log props
		set(&log, "log_format", l.Format)
		set(&log, "application_log_level", l.ApplicationLevel)
		set(&log, "system_log_level", l.SystemLevel)
		set(&log, "log_group", l.Group)
		p.add("logging_config", block(log))
	}
	if d := f.Durable; d != nil {
		var durable props
		set(&durable, "execution_timeout", d.TimeoutSec)
		set(&durable, "retention_period", d.RetentionDays)
		p.add("durable_config", block(durable))
	}
	p.add("depends_on", expression("[aws_ecr_repository_policy.this]"))
	w.resource("aws_lambda_function", "this", p)
	if f.AllowRecursion {
		w.resource("aws_lambda_function_recursion_config", "this", props{{"function_name", thisName}, {"recursive_loop", "Allow"}})
	}
}

func (w *terraform) versions() {
	for _, a := range w.f.Aliases {
		id := w.id("", a.Name)
		w.aliases[a.Name] = id
		p := props{{"name", a.Name}}
		set(&p, "description", a.Description)
		p.add("function_name", thisName)
		p.add("function_version", expression("aws_lambda_function.this.version"))
		w.resource("aws_lambda_alias", id, p)
		if a.Provisioned > 0 {
			w.resource("aws_lambda_provisioned_concurrency_config", id, props{
				{"function_name", thisName}, {"qualifier", w.qualifier(a.Name)}, {"provisioned_concurrent_executions", a.Provisioned}})
		}
	}
}

func (w *terraform) qualifier(name string) any {
	if id, ok := w.aliases[name]; ok {
		return expression("aws_lambda_alias." + id + ".name")
	}
	return name
}

func (w *terraform) permissions() {
	for _, s := range w.f.Permissions {
		p := props{{"statement_id", s.ID}, {"action", s.Action}, {"function_name", thisName}}
		if s.Qualifier != "" {
			p.add("qualifier", w.qualifier(s.Qualifier))
		}
		p.add("principal", s.Principal)
		set(&p, "source_arn", s.SourceARN)
		set(&p, "source_account", s.SourceAccount)
		set(&p, "principal_org_id", s.OrgID)
		set(&p, "function_url_auth_type", s.URLAuth)
		set(&p, "invoked_via_function_url", s.ViaURL)
		if s.Token {
			p.add("event_source_token", w.variable(w.id("token_", s.ID), "Event source token of the permission "+s.ID+".", "string", true))
		}
		w.resource("aws_lambda_permission", w.id("permission_", s.Qualifier+"_"+s.ID), p)
	}
}

func (w *terraform) async() {
	for _, a := range w.f.Async {
		p := props{{"function_name", thisName}}
		if a.Qualifier != "" {
			p.add("qualifier", w.qualifier(a.Qualifier))
		}
		if a.AgeSec != nil {
			p.add("maximum_event_age_in_seconds", *a.AgeSec)
		}
		if a.Retries != nil {
			p.add("maximum_retry_attempts", *a.Retries)
		}
		var to block
		if a.OnSuccess != "" {
			to = append(to, prop{"on_success", block{{"destination", a.OnSuccess}}})
		}
		if a.OnFailure != "" {
			to = append(to, prop{"on_failure", block{{"destination", a.OnFailure}}})
		}
		if len(to) > 0 {
			p.add("destination_config", to)
		}
		w.resource("aws_lambda_function_event_invoke_config", w.id("async_", a.Qualifier), p)
	}
}

func (w *terraform) urls() {
	for _, u := range w.f.URLs {
		p := props{{"function_name", thisName}}
		if u.Qualifier != "" {
			p.add("qualifier", w.qualifier(u.Qualifier))
		}
		p.add("authorization_type", u.Auth)
		set(&p, "invoke_mode", u.InvokeMode)
		if len(u.CORS) > 0 {
			p.add("cors", block(snakeAll(u.CORS)))
		}
		w.resource("aws_lambda_function_url", w.id("url_", u.Qualifier), p)
	}
}

func (w *terraform) mappings() {
	for i, m := range w.f.Mappings {
		p := props{{"function_name", expression("aws_lambda_function.this.arn")}}
		if id, ok := w.aliases[m.Qualifier]; ok {
			p[0].value = expression("aws_lambda_alias." + id + ".arn")
		}
		w.resource("aws_lambda_event_source_mapping", w.id("mapping_", letters(i)), append(p, snakeAll(m.Settings)...))
	}
}

// spelled are the API's names that the provider spells in a way of its own.
var spelled = map[string]string{
	"Filters": "filter", "SourceAccessConfigurations": "source_access_configuration", "URI": "uri",
	"DocumentDBEventSourceConfig": "document_db_event_source_config", "Destination": "destination_arn",
}

// snakeAll turns settings in the API's words into the provider's: objects are
// blocks, a list of objects is a block for each.
func snakeAll(m map[string]any) props {
	var p props
	for _, k := range slices.Sorted(maps.Keys(m)) {
		name := snake(k)
		switch v := m[k].(type) {
		case map[string]any:
			switch k {
			case "Tags":
				p.add(name, object(sorted(v)))
			case "Endpoints": // a map of lists in the API, of joined lists here
				var o object
				for _, key := range slices.Sorted(maps.Keys(v)) {
					o = append(o, prop{key, joined(v[key])})
				}
				p.add(name, o)
			default:
				p.add(name, block(snakeAll(v)))
			}
		case []any:
			if len(v) > 0 {
				if _, ok := v[0].(map[string]any); ok {
					for _, e := range v {
						p.add(name, block(snakeAll(e.(map[string]any))))
					}
					continue
				}
			}
			p.add(name, v)
		default:
			p.add(name, v)
		}
	}
	return p
}

func joined(v any) string {
	var words []string
	if l, ok := v.([]any); ok {
		for _, e := range l {
			words = append(words, fmt.Sprint(e))
		}
	}
	return strings.Join(words, ",")
}

func snake(name string) string {
	if s := spelled[name]; s != "" {
		return s
	}
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// writeHCL writes attributes, then blocks, as `terraform fmt` would: the equals
// signs of neighbouring lines below each other.
func writeHCL(b *strings.Builder, body props, indent string) {
	var lines []prop
	flush := func() {
		width := 0
		for _, p := range lines {
			width = max(width, len(p.name))
		}
		for _, p := range lines {
			fmt.Fprintf(b, "%s%-*s = %s\n", indent, width, p.name, hcl(p.value, indent))
		}
		lines = nil
	}
	separate := false
	for _, p := range body {
		if inner, ok := p.value.(block); ok {
			flush()
			b.WriteString("\n" + indent + p.name + " {\n")
			writeHCL(b, props(inner), indent+"  ")
			b.WriteString(indent + "}\n")
			separate = true
			continue
		}
		if o, ok := p.value.(object); ok {
			flush()
			b.WriteString("\n" + indent + p.name + " = {\n")
			inner := make(props, len(o))
			for i := range o {
				inner[i] = prop{hclString(o[i].name), o[i].value}
			}
			writeHCL(b, inner, indent+"  ")
			b.WriteString(indent + "}\n")
			separate = true
			continue
		}
		if separate {
			b.WriteString("\n")
			separate = false
		}
		if e, ok := p.value.(expression); ok && strings.Contains(string(e), "\n") {
			flush() // not aligned with its neighbours
			fmt.Fprintf(b, "%s%s = %s\n", indent, p.name, e)
			continue
		}
		lines = append(lines, p)
	}
	flush()
}

func hcl(v any, indent string) string {
	switch v := v.(type) {
	case expression:
		return string(v)
	case string:
		return hclString(v)
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = hcl(v[i], indent)
		}
		return "[" + strings.Join(words, ", ") + "]"
	default:
		return scalar(v)
	}
}

// hclString quotes text so that nothing in it is a template
// (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#quoted-templates).
func hclString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	runes := []rune(s)
	for i, c := range runes {
		switch {
		case c == '"' || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '\t':
			b.WriteString(`\t`)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, c)
		case (c == '$' || c == '%') && i+1 < len(runes) && runes[i+1] == '{':
			b.WriteRune(c)
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
