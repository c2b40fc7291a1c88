package awscli

import "testing"

func TestConsole(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:lambda:eu-west-1:123456789012:function:orders":             "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/orders",
		"arn:aws-cn:lambda:cn-north-1:123456789012:function:a":              "https://cn-north-1.console.amazonaws.cn/lambda/home?region=cn-north-1#/functions/a",
		"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:a":       "https://us-gov-west-1.console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1#/functions/a",
		"arn:aws:lambda:eu-west-1:123456789012:layer:fonts:2":               "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/layers/fonts/versions/2",
		"arn:aws:lambda:eu-west-1:123456789012:function:a\x1b]52;c;x\x07/b": "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/a%1B%5D52%3Bc%3Bx%07%2Fb",
		"arn:aws:lambda:evil.example/x?:123456789012:function:a":            "",
		"arn:aws-iso:lambda:us-iso-east-1:123456789012:function:a":          "",
		"arn:aws:s3:::bucket": "",
		"orders":              "",
		"arn:aws:lambda:eu-west-1:123456789012:event-source-mapping:0-0-0-0": "",
	} {
		if got := Console(arn); got != want {
			t.Errorf("%q: %s, want %s", arn, got, want)
		}
	}
}
