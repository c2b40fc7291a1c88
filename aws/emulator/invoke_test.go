package emulator_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
)

func TestInvoke(t *testing.T) {
	a := open(t, emulator.Options{})
	layer := a.layer("l", zipped(t, "nodejs/node_modules/greet/index.js", "module.exports = (n) => 'hello ' + n"))
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.Publish = true
		in.Layers = []string{layer}
		in.Code.ZipFile = zipped(t, "index.js", "const greet = require('greet'); exports.handler = async (e) => { console.log('seen'); return greet(e.name) }")
	})
	must(a.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	out := must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live"), Payload: []byte(`{"name":"you"}`), LogType: types.LogTypeTail}))(t)
	if string(out.Payload) != `"hello you"` || out.FunctionError != nil || *out.ExecutedVersion != "1" || out.StatusCode != 200 {
		t.Errorf("answered %s, version %s, error %v", out.Payload, *out.ExecutedVersion, out.FunctionError)
	}
	log, err := base64.StdEncoding.DecodeString(*out.LogResult)
	if err != nil || !bytes.Contains(log, []byte("seen")) || !bytes.Contains(log, []byte("REPORT RequestId: ")) {
		t.Errorf("log: %s", log)
	}
	_, err = a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("{")})
	refused(t, err, "InvalidRequestContentException", 400, "Could not parse request body into json")
	_, err = a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("none")})
	refused(t, err, "ResourceNotFoundException", 404, "Function not found: "+prefix+"function:none")
	if out := must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent}))(t); out.StatusCode != 202 {
		t.Errorf("an event is answered with %d", out.StatusCode)
	}
	must(a.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(0)}))(t)
	_, err = a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	refused(t, err, "TooManyRequestsException", 429, "Rate Exceeded.")
}

// While an update is under way, the code before it answers.
func TestInvokeDuringUpdate(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.Code.ZipFile = zipped(t, "index.js", "exports.handler = async () => 'old'")
	})
	answer := func() string {
		t.Helper()
		return string(must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")}))(t).Payload)
	}
	must(a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipped(t, "index.js", "exports.handler = async () => 'new'")}))(t)
	if got := answer(); got != `"old"` {
		t.Errorf("during the update: %s", got)
	}
	a.pass()
	if got := answer(); got != `"new"` {
		t.Errorf("after the update: %s", got)
	}
}

func TestFunctionErrors(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.Code.ZipFile = zipped(t, "index.js", "exports.handler = async () => { throw new TypeError('no') }")
	})
	out := must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")}))(t)
	if aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"errorType":"TypeError"`) {
		t.Errorf("%v: %s", out.FunctionError, out.Payload)
	}
}

// A function with a network that nobody calls for weeks goes to sleep; its next
// invocation fails and wakes it.
func TestIdleFunctions(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f", func(in *lambda.CreateFunctionInput) {
		in.VpcConfig = &types.VpcConfig{SubnetIds: []string{"subnet-1"}, SecurityGroupIds: []string{"sg-1"}}
	})
	a.create("plain")
	a.server.Advance(60 * 24 * time.Hour)
	if c := a.get("f").Configuration; c.State != types.StateInactive || c.StateReasonCode != types.StateReasonCodeIdle {
		t.Errorf("%s after two months", c.State)
	}
	if c := a.get("plain").Configuration; c.State != types.StateActive {
		t.Errorf("a function without a network is %s", c.State)
	}
	_, err := a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")})
	refused(t, err, "ResourceConflictException", 409, "The function is currently in the following state: Inactive")
	if c := a.get("f").Configuration; c.State != types.StatePending || c.StateReasonCode != types.StateReasonCodeRestoring {
		t.Errorf("%s when called", c.State)
	}
	a.pass()
	must(a.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("f")}))(t)
}
