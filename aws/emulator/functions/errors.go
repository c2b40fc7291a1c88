package functions

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// refuse makes one of Lambda's modelled errors: its status and the name of its
// message member ("Message" or "message") are what the SDK's schema says, which
// the recorded responses bear out, as they do Type "User".
func refuse(schema *smithy.Schema, format string, args ...any) *wire.Error {
	e := &wire.Error{
		Code: schema.ID().Name, Status: 400, Message: fmt.Sprintf(format, args...),
		Fields: map[string]string{"Type": "User"},
		Lower:  schema.Member("message") != nil,
	}
	if t, ok := smithy.SchemaTrait[*traits.HTTPError](schema); ok {
		e.Status = t.Code
	}
	return e
}

func invalid(format string, args ...any) *wire.Error {
	return refuse(schemas.InvalidParameterValueException, format, args...)
}

func notFound(format string, args ...any) *wire.Error {
	return refuse(schemas.ResourceNotFoundException, format, args...)
}

func conflict(format string, args ...any) *wire.Error {
	return refuse(schemas.ResourceConflictException, format, args...)
}

// noFunction is recorded, e.g. in test_ops_on_nonexisting_fn.
func noFunction(arn string) *wire.Error { return notFound("Function not found: %s", arn) }

// gone is recorded, e.g. in test_layer_exceptions and test_url_config_lifecycle.
func gone() *wire.Error { return notFound("The resource you requested does not exist.") }

// stale is a RevisionId that has moved on; api is what to ask for the present
// one (recorded in test_function_revisions_basic, test_lambda_permission_fn_versioning,
// test_layer_policy_exceptions).
func stale(api string) *wire.Error {
	return refuse(schemas.PreconditionFailedException,
		"The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve the latest Revision Id", api)
}

// validation is what the API's front end answers about a member that breaks its
// model: no Type, and the message in lower case (recorded in many tests).
func validation(format string, args ...any) *wire.Error {
	return &wire.Error{Code: "ValidationException", Status: 400, Lower: true,
		Message: "1 validation error detected: " + fmt.Sprintf(format, args...)}
}

// badValue is the commonest of them; value is quoted as it stands.
func badValue(value any, member, constraint string) *wire.Error {
	return validation("Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

func badPattern(value any, member, pattern string) *wire.Error {
	return badValue(value, member, "Member must satisfy regular expression pattern: "+pattern)
}

// missing is a required member that was not sent.
func missing(member string) *wire.Error {
	return validation("Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

// tooLarge is recorded in test_oversized_request_create_lambda and
// test_oversized_zipped_create_lambda: neither Type nor a modelled shape.
func tooLarge(format string, args ...any) *wire.Error {
	return &wire.Error{Code: "RequestEntityTooLargeException", Status: 413, Message: fmt.Sprintf(format, args...)}
}
