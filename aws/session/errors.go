package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind classifies an AWS error for people and for exit codes.
type Kind int

// The kinds of error that call for different next steps.
const (
	Other Kind = iota
	NoCredentials
	Expired
	Denied
	NotFound
	Throttled
	Unreachable // no such endpoint, no network, wrong region
	ReadOnly
)

// credentialsError is a failure to load or refresh credentials.
type credentialsError struct {
	profile string
	login   string // the profile that logs in through IAM Identity Center, "" for none
	err     error
}

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// callError says which client a failed call came from.
type callError struct {
	service, op, region, profile string
	err                          error
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// credentials marks the errors of the SDK's chain, which have no type of their own.
type credentials struct {
	profile, login string
	inner          aws.CredentialsProvider
}

func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := c.inner.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &credentialsError{profile: c.profile, login: c.login, err: err}
	}
	return got, err
}

// codes maps the error codes of AWS's services to kinds. Codes that end in one
// of the usual ways are added by kindOfCode.
var codes = map[string]Kind{
	"ExpiredToken": Expired, "ExpiredTokenException": Expired, "RequestExpired": Expired,
	"TokenRefreshRequired": Expired, "InvalidGrantException": Expired,
	"UnauthorizedException": Expired, // of IAM Identity Center, for a login that it has ended

	"InvalidClientTokenId": NoCredentials, "UnrecognizedClientException": NoCredentials,
	"InvalidAccessKeyId": NoCredentials, "SignatureDoesNotMatch": NoCredentials, "AuthFailure": NoCredentials,
	"InvalidSignatureException": NoCredentials, "IncompleteSignature": NoCredentials,
	"MissingAuthenticationToken": NoCredentials, "MissingAuthenticationTokenException": NoCredentials,

	"AccessDenied": Denied, "AccessDeniedException": Denied, "UnauthorizedOperation": Denied,
	"NotAuthorized": Denied, "Forbidden": Denied, "ForbiddenException": Denied, "OptInRequired": Denied,
	"KMSAccessDeniedException": Denied,

	"ResourceNotFoundException": NotFound, "RepositoryNotFoundException": NotFound,
	"RepositoryPolicyNotFoundException": NotFound, "LifecyclePolicyNotFoundException": NotFound,
	"ImageNotFoundException": NotFound, "NoSuchKey": NotFound,
}

// statuses are the answers that carry no code we know.
var statuses = map[int]Kind{
	http.StatusUnauthorized: NoCredentials, http.StatusForbidden: Denied,
	http.StatusNotFound: NotFound, http.StatusTooManyRequests: Throttled,
}

// KindOf classifies by the error's type and code, never by its text.
func KindOf(err error) Kind {
	var (
		cred     *credentialsError
		api      smithy.APIError
		response *smithyhttp.ResponseError
		region   *aws.MissingRegionError
	)
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return Other
	case errors.Is(err, ErrReadOnly):
		return ReadOnly
	case errors.As(err, &cred):
		return cred.kind()
	case errors.As(err, &api):
		if k, ok := codes[api.ErrorCode()]; ok {
			return k
		}
		if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok {
			return Throttled
		}
		if errors.As(err, &response) {
			return statuses[response.HTTPStatusCode()]
		}
		return Other
	case unanswered(err), errors.As(err, &region), errors.Is(err, context.DeadlineExceeded):
		return Unreachable
	case errors.As(err, &response):
		return statuses[response.HTTPStatusCode()]
	}
	return Other
}

// unanswered reports a request that got no answer at all.
func unanswered(err error) bool {
	var (
		send *smithyhttp.RequestSendError
		dns  *net.DNSError
		op   *net.OpError
	)
	return errors.As(err, &send) || errors.As(err, &dns) || errors.As(err, &op)
}

// kind tells a login that has run out from credentials that never were. The
// chain's last resort is the metadata service of EC2, whose silence is the
// usual sign that there are none; only a login and a role have a network to miss.
func (e *credentialsError) kind() Kind {
	var api smithy.APIError
	var mfa mfaError
	switch {
	case errors.As(e.err, &api) && codes[api.ErrorCode()] == Expired, errors.Is(e.err, ErrMFAOver):
		return Expired
	case errors.As(e.err, &mfa):
		return NoCredentials
	case (e.login != "" || e.assuming()) && unanswered(e.err):
		return Unreachable
	case e.login != "" && !errors.As(e.err, &api):
		return Expired
	}
	return NoCredentials
}

// assuming reports whether it was a role that could not be assumed.
func (e *credentialsError) assuming() bool {
	var op *smithy.OperationError
	return errors.As(e.err, &op) && op.Service() == sts.ServiceID && op.Operation() == "AssumeRole"
}

// Explain turns an AWS error into one line: what happened, to what, and what to
// do next. It never contains a secret or a presigned URL's query.
func Explain(err error) string {
	text, next := Split(err)
	if next != "" {
		text += ": " + next
	}
	return text
}

// Split is Explain in two: what happened, and what to do next, "" where nothing is
// known to help.
func Split(err error) (what, next string) {
	if err == nil {
		return "", ""
	}
	what = err.Error()
	if long, brief := essence(err); long != "" {
		what = strings.Replace(what, long, brief, 1)
	}
	return Clean(what), nextStep(err)
}

// Commands are the lines among what to do next that can be typed into a shell as
// they are, none for most errors.
func Commands(err error) (out []string) {
	for i, part := range strings.Split(nextStep(err), "`") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}

// essence finds the part of err's text that the SDK wrote for programmers, and
// a shorter one for people; both are "" where there is no such part.
func essence(err error) (long, brief string) {
	var (
		op   *smithy.OperationError
		call *callError
		cred *credentialsError
	)
	var inner error
	where := ""
	if errors.As(err, &call) {
		inner, where = call, call.service+" "+call.op+" in "+call.region
	}
	if errors.As(err, &op) {
		inner = op
		if where == "" {
			where = op.Service() + " " + op.Operation()
		}
	}
	switch {
	case errors.As(err, &cred):
		// Credentials fail every call alike: which one it was does not matter.
		if inner == nil {
			inner = cred
		}
		return inner.Error(), credentialsText(cred)
	case inner == nil:
		return "", ""
	case call != nil && errors.Is(err, ErrReadOnly):
		return inner.Error(), call.err.Error()
	}
	return inner.Error(), where + ": " + detail(inner)
}

// detail is what AWS or the network said, without the SDK's framing.
func detail(err error) string {
	var (
		api  smithy.APIError
		dns  *net.DNSError
		uerr *url.Error
		resp *smithyhttp.ResponseError
		send *smithyhttp.RequestSendError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &api):
		if api.ErrorMessage() == "" {
			return api.ErrorCode()
		}
		return api.ErrorMessage() + " (" + api.ErrorCode() + ")"
	case errors.As(err, &dns):
		return "cannot find " + dns.Name
	case errors.As(err, &uerr):
		host := uerr.URL
		if u, parseErr := url.Parse(uerr.URL); parseErr == nil {
			host = u.Host
		}
		return "no answer from " + host + ": " + uerr.Err.Error()
	case errors.As(err, &resp):
		return fmt.Sprintf("answered HTTP %d", resp.HTTPStatusCode())
	case errors.As(err, &send):
		return send.Err.Error()
	}
	return err.Error()
}

func credentialsText(e *credentialsError) string {
	var (
		missing config.SharedConfigProfileNotExistError
		unasked config.AssumeRoleTokenProviderNotSetError
		mfa     mfaError
		api     smithy.APIError
	)
	switch {
	case errors.As(e, &missing):
		return fmt.Sprintf("there is no AWS profile %q", e.profile)
	case errors.As(e, &unasked):
		return fmt.Sprintf("the role of profile %q asks for an MFA code, and there is no terminal to ask for it", e.profile)
	case errors.Is(e, ErrMFAOver):
		return fmt.Sprintf("what the MFA code has opened for profile %q has ended", e.profile)
	case errors.As(e, &mfa):
		return fmt.Sprintf("no MFA code for profile %q: %s", e.profile, mfa.Error())
	case errors.As(e, &api) && e.assuming():
		return fmt.Sprintf("the role of profile %q can't be assumed: %s (%s)", e.profile, strings.TrimSpace(api.ErrorMessage()), api.ErrorCode())
	case errors.As(e, &api):
		return fmt.Sprintf("no credentials for profile %q: %s (%s)", e.profile, api.ErrorMessage(), api.ErrorCode())
	case e.kind() == Unreachable && e.assuming():
		return fmt.Sprintf("the role of profile %q can't be assumed: %s", e.profile, detail(e.err))
	case e.kind() == Unreachable:
		return fmt.Sprintf("the login of profile %q can't be reached: %s", e.login, detail(e.err))
	case e.login != "":
		return fmt.Sprintf("profile %q is not logged in through SSO, or its login has expired", e.login)
	}
	return fmt.Sprintf("no usable AWS credentials (profile %q)", e.profile)
}

// nextStep says what to do about err.
func nextStep(err error) string {
	profile := ""
	var call *callError
	var cred *credentialsError
	if errors.As(err, &call) {
		profile = call.profile
	}
	if errors.As(err, &cred) {
		profile = cred.profile
	}
	if cred != nil {
		if next := cred.nextStep(); next != "" {
			return next
		}
	}
	flag := profileFlag(profile)
	switch KindOf(err) {
	case NoCredentials:
		var api smithy.APIError
		if cred == nil && errors.As(err, &api) {
			return "AWS does not accept these credentials here; check the keys, and that the region is enabled for the account"
		}
		return "run `aws configure" + flag + "` or `aws sso login" + flag + "`, or set AWS_PROFILE"
	case Expired:
		return "run `aws sso login" + flag + "`, or renew the credentials in the environment"
	case Denied:
		if call != nil {
			return "the caller needs " + iamAction(call.service, call.op) + " on it"
		}
		return "ask for the permission"
	case Throttled:
		return "AWS is throttling this account; try again in a minute"
	case Unreachable:
		if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" {
			return "check the region, the network and AWS_ENDPOINT_URL"
		}
		return "check the region, the network, and AWS_CA_BUNDLE and HTTPS_PROXY where a proxy is used"
	case ReadOnly:
		return "start with --write, or type the account's id in the terminal UI"
	}
	return ""
}

// profileFlag names a profile to the AWS CLI.
func profileFlag(profile string) string {
	if profile == "" || profile == "default" {
		return ""
	}
	return " --profile " + Clean(profile)
}

// nextStep says what to do about a role or a login, "" where it is neither.
func (e *credentialsError) nextStep() string {
	var (
		unasked config.AssumeRoleTokenProviderNotSetError
		mfa     mfaError
		api     smithy.APIError
	)
	switch {
	case errors.As(e.err, &unasked):
		return "run optlift on a terminal, or first `eval \"$(aws configure export-credentials" + profileFlag(e.profile) + " --format env)\"`, which asks for the code, and then optlift without --profile"
	case errors.Is(e.err, ErrMFAOver):
		return "leave, and start optlift again: it asks for a new code"
	case errors.As(e.err, &mfa):
		return "start again, and type what the device shows"
	case e.login != "" && e.kind() == Expired:
		return "run `aws sso login" + profileFlag(e.login) + "`"
	case errors.As(e.err, &api) && e.assuming() && codes[api.ErrorCode()] == Denied:
		return "check the MFA code, if one was asked for, role_arn and the rest of the profile, and that the role trusts its source"
	}
	return ""
}

// BucketRegion is the region that S3 names when it refuses a request for a bucket
// of another one, "" when err is not such a refusal
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html).
func BucketRegion(err error) string {
	var refused *smithyhttp.ResponseError
	if !errors.As(err, &refused) || refused.Response == nil {
		return ""
	}
	return Clean(refused.Response.Header.Get("x-amz-bucket-region"))
}

// iamAction names the permission of an operation, which differs from the
// operation's name in the cases that matter here.
func iamAction(service, op string) string {
	switch op {
	case "Invoke", "InvokeWithResponseStream":
		op = "InvokeFunction"
	case "GetLayerVersionByArn":
		op = "GetLayerVersion"
	case "HeadObject":
		op = "GetObject"
	case "HeadBucket":
		op = "ListBucket"
	}
	return strings.ToLower(service) + ":" + op
}
