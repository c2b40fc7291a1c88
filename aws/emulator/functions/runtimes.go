package functions

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// creatable are the runtimes that functions can be created with in November
// 2026: those of docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html that
// are not deprecated, and the two in preview.
var creatable = []types.Runtime{
	"nodejs26.x", "nodejs24.x", "nodejs22.x",
	"python3.15", "python3.14", "python3.13", "python3.12", "python3.11",
	"java25", "java21", "java17", "java17.al2023", "java11", "java11.al2023", "java8.al2", "java8.al2023",
	"dotnet10", "ruby4.0", "ruby3.4", "ruby3.3", "provided.al2023",
}

// checkRuntime refuses what no function can be created with.
func checkRuntime(c wire.Call, r types.Runtime) error {
	if slices.Contains(creatable, r) {
		return nil
	}
	if slices.Contains(types.Runtime("").Values(), r) {
		if c.Privileged {
			return nil
		}
		// Recorded in test_create_deprecated_function_runtime_with_validation_enabled.
		return invalid("The runtime parameter of %s is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.", r)
	}
	// Recorded in test_create_lambda_exceptions.
	return invalid("Value %s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: %s or be a valid ARN", r, set(creatable))
}

// set writes an enum's values as AWS's messages do.
func set[T ~string](values []T) string {
	text := make([]string, len(values))
	for i, v := range values {
		text[i] = string(v)
	}
	return "[" + strings.Join(text, ", ") + "]"
}

// runtimeVersion is the ARN of the runtime build in use: an opaque hash on AWS too.
func runtimeVersion(c wire.Call, r types.Runtime) string {
	sum := sha256.Sum256([]byte("runtime " + r))
	return "arn:" + c.Partition() + ":lambda:" + c.Region + "::runtime:" + hex.EncodeToString(sum[:])
}
