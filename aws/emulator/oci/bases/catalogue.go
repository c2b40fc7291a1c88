package bases

import "strings"

// Family is a manifest family; AWS's base images come in both, so clients must
// look rather than assume.
type Family int

// The two families.
const (
	Docker Family = iota
	OCI
)

// Base is one stand-in.
type Base struct {
	Repository string // below the registry: "lambda/nodejs"
	Tag        string // without an architecture: "22"
	Runtime    string // Lambda's identifier, "nodejs22.x"
	OS         string // "al2023", "al2", "al1"
	Family     Family
	X86Only    bool
}

// Custom reports whether the image has no language runtime and so no
// /var/runtime/bootstrap.
func (b Base) Custom() bool { return strings.HasPrefix(b.Runtime, "provided") }

// All lists the base images that AWS publishes for zip runtimes, deprecated ones
// included, as they stay pullable (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html,
// github.com/aws/aws-lambda-base-images). Newest first within a language.
func All() []Base {
	return []Base{
		{"lambda/nodejs", "24", "nodejs24.x", "al2023", Docker, false},
		{"lambda/nodejs", "22", "nodejs22.x", "al2023", OCI, false},
		{"lambda/nodejs", "20", "nodejs20.x", "al2023", Docker, false},
		{"lambda/nodejs", "18", "nodejs18.x", "al2", Docker, false},
		{"lambda/nodejs", "16", "nodejs16.x", "al2", Docker, false},
		{"lambda/nodejs", "14", "nodejs14.x", "al2", Docker, false},
		{"lambda/python", "3.14", "python3.14", "al2023", OCI, false},
		{"lambda/python", "3.13", "python3.13", "al2023", OCI, false},
		{"lambda/python", "3.12", "python3.12", "al2023", Docker, false},
		{"lambda/python", "3.11", "python3.11", "al2", Docker, false},
		{"lambda/python", "3.10", "python3.10", "al2", Docker, false},
		{"lambda/python", "3.9", "python3.9", "al2", Docker, false},
		{"lambda/python", "3.8", "python3.8", "al2", Docker, false},
		{"lambda/java", "25", "java25", "al2023", OCI, false},
		{"lambda/java", "21", "java21", "al2023", Docker, false},
		{"lambda/java", "17.al2023", "java17.al2023", "al2023", OCI, false},
		{"lambda/java", "17", "java17", "al2", Docker, false},
		{"lambda/java", "11.al2023", "java11.al2023", "al2023", OCI, false},
		{"lambda/java", "11", "java11", "al2", Docker, false},
		{"lambda/java", "8.al2023", "java8.al2023", "al2023", OCI, false},
		{"lambda/java", "8.al2", "java8.al2", "al2", Docker, false},
		{"lambda/java", "8", "java8", "al1", Docker, true},
		{"lambda/dotnet", "10", "dotnet10", "al2023", OCI, false},
		{"lambda/dotnet", "8", "dotnet8", "al2023", Docker, false},
		{"lambda/dotnet", "6", "dotnet6", "al2", Docker, false},
		{"lambda/ruby", "4.0", "ruby4.0", "al2023", OCI, false},
		{"lambda/ruby", "3.4", "ruby3.4", "al2023", Docker, false},
		{"lambda/ruby", "3.3", "ruby3.3", "al2023", Docker, false},
		{"lambda/ruby", "3.2", "ruby3.2", "al2", Docker, false},
		{"lambda/provided", "al2023", "provided.al2023", "al2023", OCI, false},
		{"lambda/provided", "al2", "provided.al2", "al2", Docker, false},
		{"lambda/provided", "alami", "provided", "al1", Docker, true},
		{"lambda/go", "1", "go1.x", "al1", Docker, true},
	}
}

// For finds the base of a runtime identifier.
func For(runtime string) (Base, bool) {
	for _, b := range All() {
		if b.Runtime == runtime {
			return b, true
		}
	}
	return Base{}, false
}
