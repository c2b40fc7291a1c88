package functions

import (
	"regexp"
	"strings"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// The patterns are those that recorded ValidationExceptions quote
// (test_function_name_and_qualifier_validation, test_function_arns,
// test_create_lambda_exceptions, test_layer_exceptions, test_alias_naming).
const (
	patternRegion    = `(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`
	patternNewName   = `(arn:(aws[a-zA-Z-]*)?:lambda:)?(` + patternRegion + `:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	patternName      = `(arn:(aws[a-zA-Z-]*)?:lambda:)?(` + patternRegion + `:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	patternQualifier = `\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+`
	patternRole      = `arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`
	patternLayer     = `(arn:(aws[a-zA-Z-]*)?:lambda:` + patternRegion + `:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
	patternStatement = `([a-zA-Z0-9-_]+)`
)

// Two recorded patterns use a look-ahead, which Go's regexp has not: an alias's
// name is patternStatement's alphabet, but not a number.
const (
	patternAlias        = `(?!^[0-9]+$)([a-zA-Z0-9-_]+)`
	patternURLQualifier = `((?!^\d+$)^[0-9a-zA-Z-_]+$)`
)

var (
	matchNewName   = whole(patternNewName)
	matchName      = whole(patternName)
	matchQualifier = whole(patternQualifier)
	matchRole      = whole(patternRole)
	matchLayer     = whole(patternLayer)
	matchStatement = whole(patternStatement)
	matchNumber    = whole(`[0-9]+`)
	matchAccount   = whole(`\d{12}`)
	matchRegion    = whole(patternRegion)
)

func whole(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// aliasName reports whether s can name an alias.
func aliasName(s string) bool { return matchStatement.MatchString(s) && !matchNumber.MatchString(s) }

// name is a function's name as a client gave it: bare, partial ARN or ARN.
type name struct {
	Function  string
	Qualifier string // "" when there was none
	FullARN   bool
}

// parseName reads FunctionName and Qualifier as Lambda does. account and region
// in an ARN must be the caller's.
func parseName(c wire.Call, text, qualifier *string) (name, error) {
	if val(text) == "" {
		return name{}, missing("functionName")
	}
	if !matchName.MatchString(*text) {
		return name{}, badPattern(*text, "functionName", patternName)
	}
	return splitName(c, *text, qualifier)
}

func splitName(c wire.Call, text string, qualifier *string) (name, error) {
	if len(text) > 140 { // recorded in test_function_arns
		return name{}, badValue(text, "functionName", "Member must have length less than or equal to 140")
	}
	var n name
	var account, region string
	rest := text
	if after, ok := strings.CutPrefix(rest, "arn:"); ok {
		n.FullARN = true
		_, after, _ = strings.Cut(after, ":lambda:")
		rest = after
	}
	parts := strings.Split(rest, ":")
	if len(parts) > 1 && matchRegion.MatchString(parts[0]) {
		region, parts = parts[0], parts[1:]
	}
	if len(parts) > 1 && matchAccount.MatchString(parts[0]) {
		account, parts = parts[0], parts[1:]
	}
	if len(parts) > 1 && parts[0] == "function" {
		parts = parts[1:]
	}
	n.Function = parts[0]
	if len(parts) > 1 {
		n.Qualifier = parts[1]
	}
	if q := val(qualifier); q != "" {
		if len(q) > 128 {
			return n, badValue(q, "qualifier", "Member must have length less than or equal to 128")
		}
		if !matchQualifier.MatchString(q) {
			return n, badPattern(q, "qualifier", patternQualifier)
		}
		if n.Qualifier != "" && n.Qualifier != q { // recorded in test_ops_with_arn_qualifier_mismatch
			return n, invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		n.Qualifier = q
	}
	if region != "" && region != c.Region { // recorded in test_get_function_wrong_region
		return n, notFound("Functions from '%s' are not reachable in this region ('%s')", region, c.Region)
	}
	if account != "" && account != c.Account {
		// Recorded in test_function_arns for CreateFunction, without a message; the
		// message is the one AWS gives where no policy allows a foreign caller.
		return n, denied(c, "lambda:"+c.Operation, functionARN(c, n.Function))
	}
	return n, nil
}

// denied is IAM's refusal, as it reads for a layer in
// https://github.com/hashicorp/vault-lambda-extension/issues/156.
func denied(c wire.Call, action, resource string) *wire.Error {
	return &wire.Error{Code: "AccessDeniedException", Status: 403, Message: "User: " + Caller(c) +
		" is not authorized to perform: " + action + " on resource: " + resource +
		" because no resource-based policy allows the " + action + " action"}
}

// Caller is the ARN of who makes the call.
func Caller(c wire.Call) string {
	return "arn:" + c.Partition() + ":iam::" + c.Account + ":user/optlift"
}

func functionARN(c wire.Call, name string) string {
	return "arn:" + c.Partition() + ":lambda:" + c.Region + ":" + c.Account + ":function:" + name
}

func (n name) arn(c wire.Call) string {
	if n.Qualifier == "" {
		return functionARN(c, n.Function)
	}
	return functionARN(c, n.Function) + ":" + n.Qualifier
}

// unqualified refuses a qualifier where AWS takes the whole function only
// (recorded in test_function_concurrency_exceptions).
func (n name) unqualified() error {
	if n.Qualifier != "" && n.Qualifier != "$LATEST" {
		return invalid("This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	return nil
}

// find returns the function a name means. The caller holds s.mu.
func (s *Store) find(c wire.Call, n name) (*function, error) {
	f := s.function(c, s.in(c), n.Function)
	if f == nil {
		return nil, noFunction(n.arn(c))
	}
	return f, nil
}

// lookup finds a version through the qualifier: nothing, $LATEST, a number or an
// alias. The caller holds s.mu.
func (s *Store) lookup(c wire.Call, n name) (*function, *version, error) {
	f, err := s.find(c, n)
	if err != nil {
		return nil, nil, err
	}
	if n.Qualifier == "" || n.Qualifier == "$LATEST" {
		return f, f.Latest, nil
	}
	number := n.Qualifier
	if a := f.Aliases[number]; a != nil {
		number = *a.FunctionVersion
	}
	if number == "$LATEST" {
		return f, f.Latest, nil
	}
	if v := f.number(number); v != nil {
		return f, v, nil
	}
	return nil, nil, noFunction(n.arn(c))
}
