package snapshot

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestPermission(t *testing.T) {
	for _, test := range []struct{ statement, why string }{
		{`{"Sid":"a","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"AWS:SourceAccount":"1"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::b"}}}`, ""},
		{`{"Sid":"a","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunctionUrl","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}`, ""},
		{`{"Sid":"a","Effect":"Allow","Principal":{"AWS":"*"},"Action":["lambda:InvokeFunction"],"Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`, ""},
		{`{"Sid":"a","Effect":"Deny","Principal":"*","Action":"lambda:InvokeFunction"}`, "its effect is Deny"},
		{`{"Sid":"a","Effect":"Allow","Principal":{"AWS":["a","b"]},"Action":"lambda:InvokeFunction"}`, "it names several principals"},
		{`{"Sid":"a","Effect":"Allow","Principal":{"Federated":"x"},"Action":"lambda:InvokeFunction"}`, "it names several principals"},
		{`{"Sid":"a","Effect":"Allow","Principal":"*","Action":["a","b"]}`, "it names several actions"},
		{`{"Effect":"Allow","Principal":"*","Action":"a"}`, "it has no statement id"},
		{`{"Sid":"a","Effect":"Allow","Principal":"*","Action":"a","Condition":{"ArnEquals":{"AWS:SourceArn":"x"}}}`, "AddPermission cannot express"},
		{`{"Sid":"a","Effect":"Allow","Principal":"*","Action":"a","Condition":{"ArnLike":{"AWS:SourceArn":["x","y"]}}}`, "several values"},
	} {
		statements, err := ParsePolicy(`{"Statement":` + test.statement + `}`)
		if err != nil || len(statements) != 1 {
			t.Fatalf("%s: %v, %v", test.statement, statements, err)
		}
		st := statements[0]
		in, why := st.Permission("shop", "live")
		if test.why == "" && (why != "" || in == nil || aws.ToString(in.Qualifier) != "live") {
			t.Errorf("%s: refused: %s", test.statement, why)
		}
		if test.why != "" && !strings.Contains(why, test.why) {
			t.Errorf("%s: says %q, want %q", test.statement, why, test.why)
		}
	}
}

func TestOfNobody(t *testing.T) {
	for principal, want := range map[string]bool{
		`{"AWS":"AIDAJQABLZS4A3QDU576Q"}`: true, `{"AWS":"AROAEXAMPLEID12345678"}`: true,
		`{"AWS":"arn:aws:iam::123456789012:role/AIDA"}`: false, `"*"`: false, `{"Service":"s3.amazonaws.com"}`: false,
	} {
		statements, err := ParsePolicy(`{"Statement":[{"Sid":"a","Effect":"Allow","Action":"a","Principal":` + principal + `}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := statements[0].OfNobody(); got != want {
			t.Errorf("%s: %v", principal, got)
		}
	}
	if _, err := ParsePolicy("{"); err == nil {
		t.Error("half a document is a policy")
	}
}
