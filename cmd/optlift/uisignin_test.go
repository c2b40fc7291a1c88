package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui"
)

// alone empties the environment of everything that names an account.
func alone(t *testing.T) (configuration string) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"} {
		t.Setenv(name, "")
	}
	configuration = filepath.Join(t.TempDir(), "config")
	t.Setenv("AWS_CONFIG_FILE", configuration)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	return configuration
}

// What the first frame shows is known while STS has not answered.
func TestKnownBeforeAnybodyAnswers(t *testing.T) {
	alone(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-answer
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
			`<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	defer sts.Close()
	t.Setenv("AWS_ENDPOINT_URL", sts.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	a := &app{io: &streams{}, regions: []string{"eu-west-3"}, write: true}
	b, err := a.backend(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	signed := make(chan error)
	go func() { signed <- b.SignIn(t.Context(), nil) }()
	<-asked
	if w := b.Where(); w.Account != "" || w.Profile != "default" || strings.Join(w.Regions, " ") != "eu-west-3" || !b.Armed() {
		t.Errorf("%+v, armed %v", w, b.Armed())
	}
	if _, n := b.Calls(); n != 0 {
		t.Error(n, "calls")
	}
	close(answer)
	if err := <-signed; err != nil {
		t.Fatal(err)
	}
	if w := b.Where(); w.Account != "123456789012" || !b.Armed() {
		t.Errorf("%+v", w)
	}
}

// Each way of having no account says what it is and what to type.
func TestRefusals(t *testing.T) {
	configuration := alone(t)
	sso := "[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader\nregion = eu-central-1\n" +
		"[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-central-1\n"
	if err := os.WriteFile(configuration, []byte(sso), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		name  string
		env   map[string]string
		a     *app
		title string
		why   string
		typed string
	}{
		{"no region", nil, &app{}, "Not signed in", "No AWS region", ""},
		{"nothing", map[string]string{"AWS_REGION": "eu-west-1"}, &app{}, "No credentials", "No usable AWS credentials", "aws configure"},
		{"no such profile", nil, &app{profiles: []string{"nobody"}}, "No credentials", `There is no AWS profile "nobody"`, "aws configure --profile nobody"},
		{"not logged in", nil, &app{profiles: []string{"sso"}}, "The login has expired", "SSO", "aws sso login --profile sso"},
		{"no network", map[string]string{"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": gone.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s"}, &app{}, "AWS can't be reached", "no answer from", ""},
		{"several", nil, &app{profiles: []string{"sso", "nobody"}}, "Not signed in", "nobody: ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			c.a.io = &streams{}
			b, err := c.a.backend(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			told, ok := b.SignIn(t.Context(), nil).(*ui.Refusal)
			if !ok || told.Title != c.title || !strings.Contains(strings.Join(told.Why, " "), c.why) || !strings.HasPrefix(strings.Join(told.Type, " "), c.typed) {
				t.Errorf("%+v", told)
			}
			if told.Err == nil || c.typed == "" && len(told.Type) > 0 {
				t.Errorf("%+v", told)
			}
		})
	}
}

// Mistakes on the command line and files that are none end the program before the
// screens open.
func TestMistakesBeforeTheScreens(t *testing.T) {
	alone(t)
	usage := func(a *app, from string, code int) {
		t.Helper()
		a.io = &streams{}
		if _, err := a.backend(t.Context(), from); err == nil || exitCode(err) != code {
			t.Errorf("%+v %s: %v", a, from, err)
		}
	}
	usage(&app{demo: true, profiles: []string{"one"}}, "", exitUsage)
	usage(&app{profiles: []string{"one", " "}}, "", exitUsage)
	usage(&app{profiles: []string{"one", "two"}, write: true}, "", exitUsage)
	usage(&app{demo: true}, "report.json", exitUsage)
	usage(&app{regions: []string{"evil.example"}}, "", exitFailed)
	usage(&app{}, filepath.Join(t.TempDir(), "none.json"), exitFailed)
}

// A report is read once the screens are open; one that is none is told there.
func TestReportReadOnScreen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := (&app{io: &streams{}}).backend(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if w := b.Where(); w.Saved != "saved report" || w.Account != "" {
		t.Errorf("%+v", w)
	}
	if told, ok := b.SignIn(t.Context(), nil).(*ui.Refusal); !ok || !strings.Contains(told.Why[0], "report.json") {
		t.Error(told)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	r := account.NewReport("1", []string{"eu-central-1"}, nil, nil)
	r.Created = "2026-06-01T00:00:00Z"
	if err := (&streams{out: out}).printJSON(r); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.SignIn(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if w := b.Where(); !strings.Contains(w.Saved, r.Created) || w.Account != "1" {
		t.Errorf("%+v", w)
	}
}
