package awscli

import "testing"

func TestCalls(t *testing.T) {
	fn := "arn:aws:lambda:eu-west-1:123456789012:function:orders"
	layer := "arn:aws:lambda:us-east-1:123456789012:layer:otel:12"
	for _, c := range []struct{ got, want string }{
		{Account{}.GetFunction(fn), "aws lambda get-function --function-name " + fn + " --region eu-west-1"},
		{Account{Profile: "my prod"}.GetLayer(layer), "aws lambda get-layer-version-by-arn --arn " + layer + " --region us-east-1 --profile 'my prod'"},
		{Account{}.ListFunctions("eu-west-1"), "aws lambda list-functions --region eu-west-1"},
		{Account{}.GetFunction("name"), "aws lambda get-function --function-name name"},
		{Quote("it's; rm -rf $HOME"), `'it'\''s; rm -rf $HOME'`},
		{Quote(""), "''"},
		{Quote("a\nb"), "'a\nb'"},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant %s", c.got, c.want)
		}
	}
}
