package session_test

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

// profiles are roles assumed in every way that a configuration file can say.
const profiles = `[profile base]
aws_access_key_id = AKIABASE
aws_secret_access_key = secret
[profile reader]
role_arn = arn:aws:iam::111111111111:role/reader
source_profile = base
external_id = outside
role_session_name = audit
region = eu-central-1
[profile chained]
role_arn = arn:aws:iam::222222222222:role/deeper
source_profile = reader
[profile environment]
role_arn = arn:aws:iam::333333333333:role/env
credential_source = Environment
duration_seconds = 7200
[profile mfa]
role_arn = arn:aws:iam::111111111111:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Reader
region = eu-central-1
[profile from-sso]
role_arn = arn:aws:iam::111111111111:role/reader
source_profile = sso
[sso-session corp]
sso_start_url = https://example.awsapps.com/start
sso_region = eu-central-1
`

// machine has the profiles and nothing else, an STS that hands out roles, and an
// account behind them.
func machine(t *testing.T) *sessiontest.STS {
	sessiontest.Start(t)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Setenv(name, "") // and taken away: t.Setenv brings it back
		os.Unsetenv(name)
	}
	t.Setenv("HOME", t.TempDir()) // of SSO's logins
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(profiles), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	return sessiontest.ServeSTS(t)
}

func field(forms []url.Values, name string) []string {
	var out []string
	for _, f := range forms {
		out = append(out, f.Get(name))
	}
	return out
}

func TestRolesAreAssumed(t *testing.T) {
	for _, c := range []struct {
		profile, caller, account string
		roles, durations         []string
	}{
		{"reader", "arn:aws:sts::111111111111:assumed-role/reader/audit", "111111111111", []string{"reader"}, []string{"900"}},
		{"chained", "arn:aws:sts::222222222222:assumed-role/deeper/", "222222222222", []string{"reader", "deeper"}, []string{"900", "900"}},
		{"environment", "arn:aws:sts::333333333333:assumed-role/env/", "333333333333", []string{"env"}, []string{"7200"}},
	} {
		t.Run(c.profile, func(t *testing.T) {
			sts := machine(t)
			if c.profile == "environment" {
				t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
				t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			}
			s, err := session.Open(t.Context(), session.Options{Profile: c.profile, Regions: []string{"eu-central-1"}, MFA: func() (string, error) {
				t.Error("a code is asked for that nobody wants")
				return "", nil
			}})
			if err != nil {
				t.Fatal(session.Explain(err))
			}
			if !strings.HasPrefix(s.CallerARN, c.caller) || s.Account != c.account || s.Profile != c.profile {
				t.Errorf("%+v", s)
			}
			var want []string
			for _, r := range c.roles {
				want = append(want, "arn:aws:iam::"+map[string]string{"reader": "111111111111", "deeper": "222222222222", "env": "333333333333"}[r]+":role/"+r)
			}
			if got := field(sts.Assumed(), "RoleArn"); !slices.Equal(got, want) {
				t.Errorf("assumed %q, want %q", got, want)
			}
			if got := field(sts.Assumed(), "DurationSeconds"); !slices.Equal(got, c.durations) {
				t.Errorf("for %q seconds, want %q", got, c.durations)
			}
			if c.profile != "environment" && sts.Assumed()[0].Get("ExternalId") != "outside" {
				t.Error("the external id was not sent")
			}
			if _, err := s.Lambda("eu-central-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{}); err != nil {
				t.Error(session.Explain(err))
			}
		})
	}
}

// A role that ends is assumed again, without a word.
func TestRolesAreRenewed(t *testing.T) {
	sts := machine(t)
	sts.Lifetime = -time.Minute
	s, err := session.Open(t.Context(), session.Options{Profile: "reader"})
	if err != nil {
		t.Fatal(session.Explain(err))
	}
	before := len(sts.Assumed())
	if _, err := s.Lambda("eu-central-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{}); err != nil {
		t.Fatal(session.Explain(err))
	}
	if after := len(sts.Assumed()); after != before+1 {
		t.Errorf("assumed %d times, then %d times", before, after)
	}
	sts.Refuse = func(url.Values) (string, string) {
		return "ExpiredTokenException", "The security token included in the request is expired"
	}
	_, err = s.Lambda("eu-central-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if got := session.Explain(err); session.KindOf(err) != session.Expired || !strings.Contains(got, "aws sso login --profile reader") {
		t.Error(got)
	}
}

func TestMFA(t *testing.T) {
	sts := machine(t)
	open := func(ask func() (string, error)) (*session.Session, error) {
		return session.Open(t.Context(), session.Options{Profile: "mfa", Regions: []string{"eu-central-1"}, MFA: ask})
	}
	asked := 0
	s, err := open(func() (string, error) { asked++; return "123456", nil })
	if err != nil {
		t.Fatal(session.Explain(err))
	}
	if _, err := s.Lambda("eu-central-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{}); err != nil {
		t.Fatal(session.Explain(err))
	}
	form := sts.Assumed()[0]
	if asked != 1 || len(sts.Assumed()) != 1 || form.Get("TokenCode") != "123456" || form.Get("SerialNumber") != "arn:aws:iam::123456789012:mfa/me" || form.Get("DurationSeconds") != "3600" {
		t.Errorf("asked %d times, sent %v", asked, form)
	}

	explained := func(err error, kind session.Kind, want ...string) {
		t.Helper()
		got := session.Explain(err)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q lacks %q", got, w)
			}
		}
		if session.KindOf(err) != kind || strings.Contains(got, "aws configure --profile") || strings.Contains(got, "123456") && !strings.Contains(got, "123456789012") {
			t.Errorf("kind %d: %s", session.KindOf(err), got)
		}
	}
	// Nobody there to be asked, somebody who does not answer, the wrong code.
	_, err = open(nil)
	explained(err, session.NoCredentials, `profile "mfa" asks for an MFA code, and there is no terminal`, "on a terminal", "aws configure export-credentials --profile mfa --format env")
	_, err = open(func() (string, error) { return "", errors.New("nothing was typed") })
	explained(err, session.NoCredentials, `no MFA code for profile "mfa": nothing was typed`, "start again")
	sts.Refuse = func(url.Values) (string, string) {
		return "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. "
	}
	_, err = open(func() (string, error) { return "000000", nil })
	explained(err, session.NoCredentials, `the role of profile "mfa" can't be assumed: MultiFactorAuthentication failed with invalid MFA one time pass code. (AccessDenied): check the MFA code`)
	if n := len(sts.Assumed()); n != 2 {
		t.Errorf("a wrong code was sent %d times", n-1)
	}

	// What the code has opened ends while nobody can be asked.
	sts.Refuse, sts.Lifetime = nil, -time.Minute
	calls := 0
	s, err = open(func() (string, error) {
		if calls++; calls > 1 {
			return "", session.ErrMFAOver
		}
		return "123456", nil
	})
	for err == nil {
		_, err = s.Lambda("eu-central-1").ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	}
	explained(err, session.Expired, `what the MFA code has opened for profile "mfa" has ended`, "start optlift again")

	// A prompt that nobody answers does not hold the program.
	ctx, cancel := context.WithCancel(t.Context())
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	_, err = session.Open(ctx, session.Options{Profile: "mfa", Regions: []string{"eu-central-1"}, MFA: func() (string, error) {
		cancel()
		<-never
		return "", errors.New("too late")
	}})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A login that is missing or has run out says what to type, whichever profile of
// a chain it is.
func TestExpiredLogins(t *testing.T) {
	machine(t)
	cache := filepath.Join(os.Getenv("HOME"), ".aws", "sso", "cache")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	// The portal, which no longer takes a login that looks good from here.
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "UnauthorizedException")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"message":"Session token not found or invalid"}`)
	}))
	t.Cleanup(portal.Close)
	t.Setenv("AWS_ENDPOINT_URL_SSO", portal.URL)
	// Where the AWS CLI leaves the login of the session "corp".
	login := filepath.Join(cache, fmt.Sprintf("%x.json", sha1.Sum([]byte("corp"))))
	leave := func(expires time.Duration) {
		t.Helper()
		text, err := json.Marshal(map[string]string{
			"accessToken": "planted-sso-token", "expiresAt": time.Now().Add(expires).UTC().Format(time.RFC3339),
			"region": "eu-central-1", "startUrl": "https://example.awsapps.com/start",
		})
		if err == nil {
			err = os.WriteFile(login, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for state, prepare := range map[string]func(){
		"not logged in": func() { _ = os.Remove(login) },
		"expired":       func() { leave(-time.Hour) },
		"revoked":       func() { leave(time.Hour) },
	} {
		prepare()
		for _, profile := range []string{"sso", "from-sso"} {
			_, err := session.Open(t.Context(), session.Options{Profile: profile, Regions: []string{"eu-central-1"}})
			got := session.Explain(err)
			if session.KindOf(err) != session.Expired || !strings.HasSuffix(got, "run `aws sso login --profile sso`") || strings.Contains(got, "planted") ||
				state == "revoked" && !strings.Contains(got, "Session token not found or invalid") {
				t.Errorf("%s, %s: kind %d: %s", state, profile, session.KindOf(err), got)
			}
		}
	}
}
