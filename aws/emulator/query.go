package emulator

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// regions are those that the account shows: the ones every account has without
// opting in (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
var regions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
	"ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3",
	"sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
}

// queryCall is a request in the Query protocol: STS, IAM, EC2 or CloudFormation,
// told apart by the API version.
type queryCall struct {
	service, action string
	form            url.Values
}

func parseQuery(form url.Values) (queryCall, bool) {
	q := queryCall{action: form.Get("Action"), form: form}
	switch form.Get("Version") {
	case "2011-06-15":
		q.service = "sts"
	case "2010-05-08":
		q.service = "iam"
	case "2016-11-15":
		q.service = "ec2"
	case "2010-05-15":
		q.service = "cloudformation"
	default:
		return q, false
	}
	return q, q.action != ""
}

func (q queryCall) run(s *Server, c wire.Call) (answer, error) {
	var result any
	caller, id := identity(c)
	switch q.service + "." + q.action {
	case "sts.GetCallerIdentity":
		result = struct {
			Arn, UserId, Account string
		}{caller, id, c.Account}
	case "iam.ListAccountAliases":
		result = struct {
			AccountAliases struct{} // none
			IsTruncated    bool
		}{}
	case "iam.GetUser":
		if strings.Contains(caller, ":assumed-role/") { // https://github.com/RhinoSecurityLabs/pacu/issues/27
			return answer{}, wire.Errorf(400, "ValidationError", "Must specify userName when calling with non-User credentials")
		}
		result = struct {
			User struct{ Path, UserName, UserId, Arn string }
		}{struct{ Path, UserName, UserId, Arn string }{"/", "optlift", "AIDAEMULATOR000000000", caller}}
	case "iam.GetRole":
		result = q.role(c)
	case "iam.SimulatePrincipalPolicy":
		var err error
		if result, err = q.simulate(s, c); err != nil {
			return answer{}, err
		}
	case "cloudformation.GetTemplate":
		var err error
		if result, err = q.template(s, c); err != nil {
			return answer{}, err
		}
	case "ec2.DescribeRegions":
		return q.describeRegions(c)
	default:
		return answer{}, wire.Errorf(400, "InvalidAction", "The embedded account has no %s operation %s.", q.service, q.action)
	}
	return q.wrap(c, result)
}

// role answers for any name: roles are not looked up here, and Lambda may assume
// each of them.
func (q queryCall) role(c wire.Call) any {
	type role struct{ Path, RoleName, RoleId, Arn, AssumeRolePolicyDocument string }
	name := q.form.Get("RoleName")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	return struct{ Role role }{role{"/", name, "AROAEMULATOR000000000", "arn:" + c.Partition() + ":iam::" + c.Account + ":role/" + name, url.QueryEscape(trust)}}
}

func (q queryCall) namespace() string {
	return map[string]string{
		"sts": "https://sts.amazonaws.com/doc/2011-06-15/", "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
		"ec2": "http://ec2.amazonaws.com/doc/2016-11-15/", "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
	}[q.service]
}

// wrap puts a result into the two envelopes of the Query protocol.
func (q queryCall) wrap(c wire.Call, result any) (answer, error) {
	var b strings.Builder
	b.WriteString(xml.Header + "<" + q.action + `Response xmlns="` + q.namespace() + `">`)
	enc := xml.NewEncoder(&b)
	if err := enc.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: q.action + "Result"}}); err != nil {
		return answer{}, err
	}
	b.WriteString("<ResponseMetadata><RequestId>" + c.ID + "</RequestId></ResponseMetadata></" + q.action + "Response>")
	return newAnswer(http.StatusOK, "text/xml", []byte(b.String())), nil
}

func (q queryCall) describeRegions(c wire.Call) (answer, error) {
	var b strings.Builder
	b.WriteString(xml.Header + `<DescribeRegionsResponse xmlns="` + q.namespace() + `"><requestId>` + c.ID + "</requestId><regionInfo>")
	for _, r := range regions {
		b.WriteString("<item><regionName>" + r + "</regionName><regionEndpoint>ec2." + r + ".amazonaws.com</regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item>")
	}
	b.WriteString("</regionInfo></DescribeRegionsResponse>")
	return newAnswer(http.StatusOK, "text/xml", []byte(b.String())), nil
}

// refuse writes an error in the Query protocol; EC2 has its own envelope.
func (q queryCall) refuse(id string) func(*wire.Error, http.ResponseWriter) {
	return func(e *wire.Error, w http.ResponseWriter) {
		var message strings.Builder
		_ = xml.EscapeText(&message, []byte(e.Message))
		text := "<ErrorResponse><Error><Type>Sender</Type><Code>" + e.Code + "</Code><Message>" + message.String() + "</Message></Error><RequestId>" + id + "</RequestId></ErrorResponse>"
		if q.service == "ec2" {
			text = "<Response><Errors><Error><Code>" + e.Code + "</Code><Message>" + message.String() + "</Message></Error></Errors><RequestID>" + id + "</RequestID></Response>"
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(e.Status)
		_, _ = w.Write([]byte(xml.Header + text))
	}
}
