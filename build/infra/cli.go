package infra

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// script is a list of shell commands.
type script struct{ strings.Builder }

func (s *script) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// call writes one call of the AWS CLI. Words that begin with a quote or a dollar
// sign are written as they are.
func (s *script) call(words ...string) {
	s.WriteString("aws")
	length := 3
	for _, w := range words {
		if length += len(w) + 1; length > 110 && strings.HasPrefix(w, "--") {
			s.WriteString(" \\\n ")
			length = len(w) + 3
		}
		s.WriteString(" " + w)
	}
	s.WriteString("\n")
}

// CLI writes f as calls of the AWS CLI, a shell script that takes the image's
// address as its argument.
func CLI(f *Function) string {
	s := &script{}
	s.line("#!/bin/sh")
	s.WriteString(f.notes("# "))
	s.line("# Usage: %s URI@sha256:DIGEST, once the image is pushed; without it, the repository is made.", File("cli"))
	s.line("set -eu\nexport AWS_REGION=%s AWS_DEFAULT_REGION=%s\n", shell(f.Region), shell(f.Region))
	s.line("if [ $# -eq 0 ]; then")
	s.call("ecr", "create-repository", "--repository-name", shell(f.Repository))
	s.call("ecr", "set-repository-policy", "--repository-name", shell(f.Repository), "--policy-text", shell(
		`{"Version":"2012-10-17","Statement":[{"Sid":"LambdaECRImageRetrievalPolicy","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"]}]}`))
	s.line("exit\nfi\nimage=$1\nname=%s\n", shell(f.Name))
	if len(f.EnvNames) > 0 {
		s.line("# The values of %s, as {\"Variables\": {…}}.", strings.Join(f.EnvNames, ", "))
		s.line("[ -f environment.json ] || { echo 'environment.json is missing' >&2; exit 1; }")
	}
	s.WriteString(CreateCall(f, `"$name"`))
	s.line(`aws lambda wait function-active-v2 --function-name "$name"`)
	lambda := func(words ...string) { s.call(append([]string{"lambda"}, words...)...) }
	named := func(op, qualifier string, words ...string) {
		head := []string{op, "--function-name", `"$name"`}
		if qualifier != "" {
			head = append(head, "--qualifier", shell(qualifier))
		}
		lambda(append(head, words...)...)
	}
	if f.Reserved != nil {
		named("put-function-concurrency", "", "--reserved-concurrent-executions", fmt.Sprint(*f.Reserved))
	}
	if f.AllowRecursion {
		named("put-function-recursion-config", "", "--recursive-loop", "Allow")
	}
	if len(f.Aliases) > 0 {
		s.line(`version=$(aws lambda publish-version --function-name "$name" --query Version --output text)`)
	}
	for _, a := range f.Aliases {
		words := []string{"--name", shell(a.Name), "--function-version", `"$version"`}
		if a.Description != "" {
			words = append(words, "--description", shell(a.Description))
		}
		named("create-alias", "", words...)
		if a.Provisioned > 0 {
			named("put-provisioned-concurrency-config", a.Name, "--provisioned-concurrent-executions", fmt.Sprint(a.Provisioned))
		}
	}
	for _, p := range f.Permissions {
		words := []string{"--statement-id", shell(p.ID), "--action", shell(p.Action), "--principal", shell(p.Principal)}
		for _, o := range []struct{ flag, value string }{
			{"--source-arn", p.SourceARN}, {"--source-account", p.SourceAccount}, {"--principal-org-id", p.OrgID}, {"--function-url-auth-type", p.URLAuth},
		} {
			if o.value != "" {
				words = append(words, o.flag, shell(o.value))
			}
		}
		if p.ViaURL {
			words = append(words, "--invoked-via-function-url")
		}
		if p.Token {
			words = append(words, "--event-source-token", `"${EVENT_SOURCE_TOKEN:?the token of `+identifier("", p.ID, map[string]bool{})+`}"`)
		}
		named("add-permission", p.Qualifier, words...)
	}
	for _, a := range f.Async {
		var words []string
		if a.AgeSec != nil {
			words = append(words, "--maximum-event-age-in-seconds", fmt.Sprint(*a.AgeSec))
		}
		if a.Retries != nil {
			words = append(words, "--maximum-retry-attempts", fmt.Sprint(*a.Retries))
		}
		to := map[string]any{}
		if a.OnSuccess != "" {
			to["OnSuccess"] = map[string]string{"Destination": a.OnSuccess}
		}
		if a.OnFailure != "" {
			to["OnFailure"] = map[string]string{"Destination": a.OnFailure}
		}
		if len(to) > 0 {
			words = append(words, "--destination-config", shell(scalar(to)))
		}
		named("put-function-event-invoke-config", a.Qualifier, words...)
	}
	for _, u := range f.URLs {
		words := []string{"--auth-type", u.Auth}
		if u.InvokeMode != "" {
			words = append(words, "--invoke-mode", u.InvokeMode)
		}
		if len(u.CORS) > 0 {
			words = append(words, "--cors", shell(scalar(u.CORS)))
		}
		named("create-function-url-config", u.Qualifier, words...)
	}
	for _, m := range f.Mappings {
		target := `"$name"`
		if m.Qualifier != "" {
			target = `"$name":` + shell(m.Qualifier)
		}
		lambda("create-event-source-mapping", "--function-name", target, "--cli-input-json", shell(scalar(m.Settings)))
	}
	return s.String()
}

// CreateCall is the call that creates the function under a name, which is a word
// of the shell, from the image in the shell's $image.
func CreateCall(f *Function, name string) string {
	s := &script{}
	words := []string{"lambda", "create-function", "--function-name", name, "--package-type", "Image",
		"--code", `ImageUri="$image"`, "--role", shell(f.Role), "--architectures", f.Architecture}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, shell(value))
		}
	}
	number := func(flag string, n int) {
		if n > 0 {
			words = append(words, flag, fmt.Sprint(n))
		}
	}
	structure := func(flag string, v map[string]any) {
		maps.DeleteFunc(v, func(_ string, v any) bool { return v == "" || v == 0 })
		if len(v) > 0 {
			words = append(words, flag, shell(scalar(v)))
		}
	}
	add("--description", f.Description)
	number("--memory-size", f.MemoryMB)
	number("--timeout", f.TimeoutSec)
	structure("--ephemeral-storage", map[string]any{"Size": f.EphemeralMB})
	if len(f.EnvNames) > 0 {
		words = append(words, "--environment", "file://environment.json")
	}
	if len(f.Subnets) > 0 {
		structure("--vpc-config", map[string]any{"SubnetIds": f.Subnets, "SecurityGroupIds": f.Groups, "Ipv6AllowedForDualStack": f.IPv6})
	}
	structure("--dead-letter-config", map[string]any{"TargetArn": f.DeadLetter})
	structure("--tracing-config", map[string]any{"Mode": f.Tracing})
	if len(f.FileSystems) > 0 {
		var mounts []any
		for _, fs := range f.FileSystems {
			mounts = append(mounts, map[string]string{"Arn": fs.ARN, "LocalMountPath": fs.Path})
		}
		words = append(words, "--file-system-configs", shell(scalar(mounts)))
	}
	add("--kms-key-arn", f.KMSKey)
	if l := f.Logging; l != nil {
		structure("--logging-config", map[string]any{
			"LogFormat": l.Format, "ApplicationLogLevel": l.ApplicationLevel, "SystemLogLevel": l.SystemLevel, "LogGroup": l.Group})
	}
	if d := f.Durable; d != nil {
		structure("--durable-config", map[string]any{"ExecutionTimeout": d.TimeoutSec, "RetentionPeriodInDays": d.RetentionDays})
	}
	if len(f.Tags) > 0 {
		tags := map[string]any{}
		for _, k := range slices.Sorted(maps.Keys(f.Tags)) {
			tags[k] = f.Tags[k]
		}
		words = append(words, "--tags", shell(scalar(tags)))
	}
	s.call(words...)
	return s.String()
}

// shell makes text one word of a shell.
func shell(s string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:@%+", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
