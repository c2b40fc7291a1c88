package contract

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

func TestInvoke(t *testing.T) {
	w := writing(t)
	w.fact("answers the handler's result, the version and the log's end", sdk+"InvokeOutput", func(c *check) {
		f := c.make(func(in *lambda.CreateFunctionInput) {
			in.Publish, in.Environment = true, &types.Environment{Variables: map[string]string{"STAGE": "test"}}
		}).FunctionName
		out := must(c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f, Qualifier: aws.String("1"), Payload: []byte(`{"name":"you"}`), LogType: types.LogTypeTail}))(c)
		if out.StatusCode != 200 || out.FunctionError != nil || aws.ToString(out.ExecutedVersion) != "1" || !sameJSON(string(out.Payload), `{"hello":"you","stage":"test"}`) {
			c.Errorf("%d, version %s: %s", out.StatusCode, aws.ToString(out.ExecutedVersion), out.Payload)
		}
		log, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		for _, part := range []string{"START RequestId: ", "seen you", "END RequestId: ", "REPORT RequestId: "} {
			if !strings.Contains(string(log), part) {
				c.Errorf("the log has no %q", part)
			}
		}
	})
	w.fact("layers are found under /opt", guide+"packaging-layers.html", func(c *check) {
		l := c.layer(c.name("layer"), zipped("nodejs/node_modules/greet/index.js", "module.exports = (n) => 'hello ' + n"))
		f := c.make(func(in *lambda.CreateFunctionInput) {
			in.Layers = []string{*l.LayerVersionArn}
			in.Code.ZipFile = zipped("index.js", "exports.handler = async (e) => require('greet')(e.name)")
		}).FunctionName
		if out := must(c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f, Payload: []byte(`{"name":"you"}`)}))(c); string(out.Payload) != `"hello you"` {
			c.Errorf("%s", out.Payload)
		}
	})
	w.fact("a function's error is an answer", sdk+"InvokeOutput.FunctionError", func(c *check) {
		f := c.make(func(in *lambda.CreateFunctionInput) {
			in.Code.ZipFile = zipped("index.js", "exports.handler = async () => { throw new TypeError('no') }")
		}).FunctionName
		out := must(c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f}))(c)
		if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), `"errorType":"TypeError"`) {
			c.Errorf("%d, %s: %s", out.StatusCode, aws.ToString(out.FunctionError), out.Payload)
		}
	})
	w.fact("a payload that is no JSON is refused", recorded+"test_lambda_invoke_payload_encoding_error", func(c *check) {
		_, err := c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: c.make().FunctionName, Payload: []byte("{")})
		c.refused(err, "InvalidRequestContentException", 400, "Could not parse request body into json")
	})
	w.fact("a function without concurrency still takes events", guide+"invocation-async-error-handling.html", func(c *check) {
		f := c.make().FunctionName
		must(c.lambda.PutFunctionConcurrency(c.ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: f, ReservedConcurrentExecutions: aws.Int32(0)}))(c)
		_, err := c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f})
		c.refused(err, "TooManyRequestsException", 429, "Rate Exceeded.")
		if out := must(c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f, InvocationType: types.InvocationTypeEvent}))(c); out.StatusCode != 202 {
			c.Errorf("an event is answered with %d", out.StatusCode)
		}
	})
	w.fact("a dry run runs nothing, an event does not wait", sdk+"InvokeInput.InvocationType", func(c *check) {
		f := c.make().FunctionName
		for kind, want := range map[types.InvocationType]int32{types.InvocationTypeDryRun: 204, types.InvocationTypeEvent: 202} {
			if out := must(c.lambda.Invoke(c.ctx, &lambda.InvokeInput{FunctionName: f, InvocationType: kind}))(c); out.StatusCode != want || len(out.Payload) > 0 {
				c.Errorf("%s is answered with %d %s", kind, out.StatusCode, out.Payload)
			}
		}
	})
}
