package emulator_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/emulator"
)

// iam makes a request in the Query protocol.
func (a account) iam(key string, pairs ...string) (int, string) {
	a.Helper()
	form := url.Values{"Version": {"2010-05-08"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, body := fetch(a, http.MethodGet, a.server.URL()+"/?"+form.Encode(), "Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/us-east-1/iam/aws4_request")
	return res.StatusCode, string(body)
}

// The simulation tells beforehand what a call would be answered.
func TestSimulatePrincipalPolicy(t *testing.T) {
	a := open(t, emulator.Options{})
	const user = "arn:aws:iam::123456789012:user/optlift"
	base := []string{"Action", "SimulatePrincipalPolicy", "PolicySourceArn", user}
	simulate := func(pairs ...string) (out []string) {
		t.Helper()
		marker := ""
		for {
			status, text := a.iam("AKIATEST", append(append([]string{"Marker", marker}, base...), pairs...)...)
			var answer struct {
				Result struct {
					IsTruncated bool
					Marker      string
					Results     struct {
						Members []struct{ EvalActionName, EvalResourceName, EvalDecision string } `xml:"member"`
					} `xml:"EvaluationResults"`
				} `xml:"SimulatePrincipalPolicyResult"`
			}
			if err := xml.Unmarshal([]byte(text), &answer); err != nil || status != 200 {
				t.Fatal(status, err, text)
			}
			for _, m := range answer.Result.Results.Members {
				out = append(out, fmt.Sprint(m.EvalActionName, " ", m.EvalResourceName, " ", m.EvalDecision))
			}
			if marker = answer.Result.Marker; !answer.Result.IsTruncated {
				return out
			}
		}
	}
	f, g := prefix+"function:f", prefix+"function:g"
	asked := []string{"ActionNames.member.1", "lambda:DeleteFunction", "ActionNames.member.2", "lambda:InvokeFunction", "ResourceArns.member.1", f, "ResourceArns.member.2", g, "MaxItems", "3"}
	want := []string{"lambda:DeleteFunction " + f + " allowed", "lambda:DeleteFunction " + g + " allowed", "lambda:InvokeFunction " + f + " allowed", "lambda:InvokeFunction " + g + " allowed"}
	if got := simulate(asked...); !cmp.Equal(got, want) {
		t.Errorf("%q", got)
	}
	a.server.Inject(emulator.Fault{Operation: "DeleteFunction", Target: "g", Kind: emulator.AccessDenied, Count: -1})
	a.server.Inject(emulator.Fault{Operation: "Invoke", Kind: emulator.AccessDenied, Count: -1})
	for i := range want[1:] {
		want[i+1] = strings.ReplaceAll(want[i+1], "allowed", "implicitDeny")
	}
	if got := simulate(asked...); !cmp.Equal(got, want) {
		t.Errorf("%q", got)
	}
	name := "g"
	_, err := a.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: &name})
	refused(t, err, "AccessDeniedException", 403, "lambda:DeleteFunction")
	a.server.ClearFaults()
	if got := simulate("ActionNames.member.1", "s3:PutObject"); !cmp.Equal(got, []string{"s3:PutObject * allowed"}) {
		t.Errorf("%q", got)
	}

	for _, c := range []struct {
		source, action, resource string
		status                   int
		text                     string
	}{
		{"arn:aws:sts::123456789012:assumed-role/admin/me", "lambda:ListFunctions", "*", 400, "does not clearly define entity type and name."},
		{"arn:aws:iam::123456789012:user/other", "lambda:ListFunctions", "*", 404, "The user with name other cannot be found."},
		{"arn:aws:iam::123456789012:role/path/to/any", "lambda:ListFunctions", "*", 200, "allowed"},
		{user, "lambda:ListFunctions", "f", 400, "ResourceNames are not in a valid ARN format: f."},
		{user, "everything", "*", 400, "InvalidInput"},
		{user, "", "*", 400, "actionNames"},
		{"", "lambda:ListFunctions", "*", 400, "policySourceArn"},
	} {
		pairs := []string{"Action", "SimulatePrincipalPolicy", "PolicySourceArn", c.source, "ResourceArns.member.1", c.resource}
		if c.action != "" {
			pairs = append(pairs, "ActionNames.member.1", c.action)
		}
		if status, text := a.iam("AKIATEST", pairs...); status != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%+v: %d %s", c, status, text)
		}
	}
}

// Temporary credentials are those of a role's session, which is no IAM entity.
func TestCallers(t *testing.T) {
	a := open(t, emulator.Options{})
	for key, want := range map[string]string{"AKIATEST": "arn:aws:iam::123456789012:user/optlift", "ASIATEST": "arn:aws:sts::123456789012:assumed-role/optlift/session"} {
		_, body := fetch(t, http.MethodGet, a.server.URL()+"/?Action=GetCallerIdentity&Version=2011-06-15", "Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/us-east-1/sts/aws4_request")
		if !strings.Contains(string(body), "<Arn>"+want+"<") {
			t.Errorf("%s is %s", key, body)
		}
	}
	if status, text := a.iam("ASIATEST", "Action", "GetUser"); status != 400 || !strings.Contains(text, "Must specify userName when calling with non-User credentials") {
		t.Error(status, text)
	}
}
