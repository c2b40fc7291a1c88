package answer

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// NotRunnable tells the answer of an endpoint that can't run the function at all,
// as an embedded account can't run every runtime: that is no answer of the
// function's, and says nothing about the image.
func NotRunnable(out *lambda.InvokeOutput) bool {
	var answer struct{ ErrorType string }
	return aws.ToString(out.FunctionError) != "" && json.Unmarshal(out.Payload, &answer) == nil && answer.ErrorType == "Runtime.NotRunnable"
}

// Differ says where two answers differ, "" for nowhere. Paths of the payload that
// are ignored do not count.
func Differ(was, is *lambda.InvokeOutput, ignore []string) string {
	if was.StatusCode != is.StatusCode {
		return fmt.Sprintf("status %d, now %d", was.StatusCode, is.StatusCode)
	}
	if a, b := aws.ToString(was.FunctionError), aws.ToString(is.FunctionError); a != b {
		return fmt.Sprintf("function error %q, now %q", a, b)
	}
	var a, b any
	if json.Unmarshal(was.Payload, &a) != nil || json.Unmarshal(is.Payload, &b) != nil {
		if string(was.Payload) != string(is.Payload) {
			return "the payloads differ, and are not JSON"
		}
		return ""
	}
	if at := Difference(a, b, "$", func(at string) bool { return Ignored(at, ignore) }); at != "" {
		return "the payloads differ at " + at
	}
	return ""
}
