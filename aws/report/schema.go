package report

import _ "embed"

// schema is the JSON Schema of a report, for programs that read it
// (https://json-schema.org/draft/2020-12/schema).
//
//go:embed audit.schema.json
var schema []byte

// Schema returns the JSON Schema of what audit -o json prints. It must not be
// changed.
func Schema() []byte { return schema }
