package infra

import (
	"fmt"
	"strings"
)

// Function is a function as it is after the switch, and what is attached to it.
// Fields that are empty were not set.
type Function struct {
	Name, Region, Account string
	Image                 string // URI@sha256:…; "" leaves it to a parameter
	Repository            string // name of the ECR repository
	Role                  string
	Description           string
	Architecture          string // "x86_64" or "arm64"
	MemoryMB, TimeoutSec  int
	EphemeralMB           int
	EnvNames              []string // values are never here
	Subnets, Groups       []string // VPC
	IPv6                  bool
	DeadLetter            string // ARN of a queue or topic
	Tracing               string // "Active" or "PassThrough"
	FileSystems           []FileSystem
	KMSKey                string
	Logging               *Logging
	Durable               *Durable
	Reserved              *int // zero throttles every invocation
	AllowRecursion        bool
	Tags                  map[string]string

	Aliases     []Alias
	Permissions []Permission
	URLs        []URL
	Async       []Async
	Mappings    []Mapping
	// Notes say what can't be written down, and why; each output carries them as
	// comments.
	Notes []string
}

// FileSystem is a mounted access point.
type FileSystem struct{ ARN, Path string }

// Logging is LoggingConfig.
type Logging struct{ Format, ApplicationLevel, SystemLevel, Group string }

// Durable is DurableConfig.
type Durable struct{ TimeoutSec, RetentionDays int }

// Alias is an alias; all point to the version that is made of the image.
type Alias struct {
	Name, Description string
	Provisioned       int // concurrency, 0 is none
}

// Permission is one statement of a resource policy that AddPermission can make.
type Permission struct {
	ID, Qualifier            string // Qualifier is an alias, "" the function
	Action, Principal        string
	SourceARN, SourceAccount string
	OrgID, URLAuth           string
	ViaURL                   bool
	Token                    bool // it has an event source token, a secret
}

// URL is a function URL.
type URL struct {
	Qualifier, Auth, InvokeMode string
	CORS                        map[string]any // in the API's words
}

// Async is how asynchronous invocations are treated.
type Async struct {
	Qualifier            string // "" is $LATEST
	AgeSec, Retries      *int
	OnSuccess, OnFailure string // ARN
}

// Mapping is an event source mapping: its settings in the words of Lambda's API,
// which are CloudFormation's, too.
type Mapping struct {
	Qualifier string
	Settings  map[string]any
}

// Kinds lists the outputs.
func Kinds() []string { return []string{"cloudformation", "sam", "cdk", "terraform", "cli"} }

// File returns the usual name of an output's file.
func File(kind string) string {
	return map[string]string{
		"cloudformation": "function.yaml", "sam": "template.yaml", "cdk": "function.ts", "terraform": "function.tf", "cli": "create.sh",
	}[kind]
}

// Write writes one of Kinds.
func Write(kind string, f *Function) (string, error) {
	switch kind {
	case "cloudformation":
		return CloudFormation(f), nil
	case "sam":
		return SAM(f), nil
	case "cdk":
		return CDK(f), nil
	case "terraform":
		return Terraform(f), nil
	case "cli":
		return CLI(f), nil
	default:
		return "", fmt.Errorf("%q is no language for infrastructure known here: it takes one of %s", kind, strings.Join(Kinds(), ", "))
	}
}

// notes are the comment at the head of an output.
func (f *Function) notes(prefix string) string {
	var b strings.Builder
	line := func(s string) { fmt.Fprintf(&b, "%s%s\n", prefix, oneLine(s)) }
	line("The function " + f.Name + " as a container image, with what is attached to it.")
	line("No secret is in here: environment values and tokens are parameters.")
	for _, n := range f.Notes {
		line("NOTE: " + n)
	}
	return b.String()
}

// oneLine keeps a comment a comment.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 {
			return ' '
		}
		return c
	}, s)
}

// identifier makes a name of letters and digits that begins with a letter, which
// every language here takes, and that is unique among those in used.
func identifier(prefix, name string, used map[string]bool) string {
	var b strings.Builder
	b.WriteString(prefix)
	up := true
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z' && up:
			b.WriteRune(c - 'a' + 'A')
			up = false
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			b.WriteRune(c)
			up = false
		default:
			up = true
		}
	}
	base := b.String()
	id := base
	for n := 2; used[id]; n++ {
		id = fmt.Sprintf("%s%d", base, n)
	}
	used[id] = true
	return id
}
