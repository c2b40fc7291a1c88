package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/find"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/build/zipdir/ziptest"
	"github.com/optlift/optlift/ui/migrate"
)

// invoke runs the program in this process.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problems bytes.Buffer
	code = run(t.Context(), args, &streams{in: strings.NewReader(""), out: &out, err: &problems})
	return code, out.String(), problems.String()
}

func TestSeveralProfiles(t *testing.T) {
	acct := sessiontest.Start(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	acct.Function("mine", []ziptest.Entry{ziptest.File("index.js", "1")}, nil)
	t.Setenv("AWS_ACCESS_KEY_ID", "210987654321")
	theirs := acct.Open(session.Options{Write: true, Unlimited: true}).Lambda(sessiontest.Region)
	layer, err := theirs.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: aws.String("secretive"), Content: &types.LayerVersionContentInput{ZipFile: ziptest.Bytes(ziptest.File("lib/secret.so", "s"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		Layers:       []string{*layer.LayerVersionArn},
		FunctionName: aws.String("theirs"), Role: aws.String("arn:aws:iam::210987654321:role/r"), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: ziptest.Bytes(ziptest.File("index.js", "2"))},
	}); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config")
	text := ""
	for name, key := range map[string]string{"one": "AKIAEMULATOR00000000", "two": "210987654321", "again": "AKIAEMULATOR00000001"} {
		text += fmt.Sprintf("[profile %s]\naws_access_key_id=%s\naws_secret_access_key=secret-of-%s\nregion=%s\n", name, key, name, sessiontest.Region)
	}
	text += "[profile out]\nsso_start_url=https://example.awsapps.com/start\nsso_region=eu-central-1\nsso_account_id=123456789012\nsso_role_name=r\nregion=eu-central-1\n"
	for _, client := range []*lambda.Client{acct.Lambda, theirs} {
		if _, err := client.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
			LayerName: aws.String("shared"), Content: &types.LayerVersionContentInput{ZipFile: ziptest.Bytes(ziptest.File("a", "a"))},
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("HOME", t.TempDir()) // of SSO's logins

	code, out, problems := invoke(t, "audit", "--profile", "one,two", "-o", "json")
	var r account.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || problems != "" {
		t.Fatal(code, problems, err)
	}
	if len(r.Accounts) != 2 || r.Account != "123456789012" || r.Accounts[1].Account != "210987654321" || r.Accounts[1].Profile != "two" || r.Accounts[0].Caller == "" ||
		len(r.Functions) != 2 || r.Functions[0].Profile != "one" || r.Functions[1].Account != "210987654321" || r.Functions[1].Profile != "two" || r.Functions[1].UnzippedTotal == nil {
		t.Errorf("%+v\n%+v", r.Accounts, r.Functions)
	}
	if strings.Contains(out, "secret-of") {
		t.Error("a secret is in the report")
	}

	// One that can't be opened is told beside the rows of the others, with what to type.
	code, out, problems = invoke(t, "audit", "--profile", "out,two,missing", "--columns", "name,profile")
	if code != 3 || out != "FUNCTION\tPROFILE\ntheirs\ttwo\n" || !strings.Contains(problems, "profile out: ") || !strings.Contains(problems, "aws sso login --profile out") ||
		!strings.Contains(problems, `profile missing: `) || strings.Contains(problems, "profile two") {
		t.Errorf("exit %d\n%s\n%s", code, out, problems)
	}
	code, out, _ = invoke(t, "audit", "--profile", "out,two", "-o", "json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 3 || !r.Accounts[0].Failed || r.Accounts[0].Message == "" || r.Account != "210987654321" {
		t.Errorf("exit %d: %+v %v", code, r.Accounts, err)
	}
	if code, _, problems = invoke(t, "audit", "--profile", "out,missing"); code != 1 || !strings.Contains(problems, "out: ") || !strings.Contains(problems, "missing: ") {
		t.Error(code, problems)
	}
	// Two profiles of one account are one account.
	code, out, problems = invoke(t, "audit", "--profile", "one,again")
	if code != 0 || strings.Count(out, "mine") != 1 || !strings.Contains(problems, "profile again: the account 123456789012 is shown as profile one sees it") {
		t.Errorf("exit %d\n%s\n%s", code, out, problems)
	}
	if code, out, problems = invoke(t, "audit", "--profile", "one,two", "--versions", "-o", "csv"); code != 0 || !strings.Contains(out, ",account,profile,versions,aliases\n") || !strings.Contains(out, ",two,0,\n") {
		t.Errorf("exit %d\n%s\n%s", code, out, problems)
	}
	// A layer is looked into with the session of an account whose function has it.
	code, out, problems = invoke(t, "find", "secret.so", "--profile", "out,one,two")
	if code != 3 || !strings.Contains(out, *layer.LayerVersionArn+"\t/opt/lib/secret.so\t") || !strings.Contains(out, ":function:theirs") || strings.Contains(problems, "looked into") || !strings.Contains(problems, "profile out: ") {
		t.Errorf("exit %d\n%s\n%s", code, out, problems)
	}
	testProfilesOnScreen(t, &app{io: &streams{}, profiles: []string{"one", "two", "again", "out"}})
	if _, err := (&app{io: &streams{}, profiles: []string{"one", "two"}, write: true}).backend(t.Context(), ""); err == nil {
		t.Error("several profiles were armed")
	}
	for _, args := range [][]string{{"opt", "mine", "--profile", "one,two"}, {"plan", "mine", "--profile", "one,two"}, {"audit", "--profile", "one,two", "--demo"}} {
		if code, _, problems = invoke(t, args...); code != 2 || !strings.Contains(problems, "--profile") {
			t.Error(args, code, problems)
		}
	}
}

// testProfilesOnScreen shows two accounts at once: each function is asked for with
// the session of its account, and nothing changes either.
func testProfilesOnScreen(t *testing.T, a *app) {
	t.Helper()
	defer func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	}()
	s := newAccounts(a)
	if w := s.Where(); len(w.Accounts) != 4 || w.Account != "" || w.Accounts[3].Failed {
		t.Errorf("before anybody is asked: %+v", w)
	}
	if err := s.SignIn(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if w := s.Where(); len(w.Accounts) != 4 || w.Account != "123456789012" || !w.Accounts[3].Failed || s.Armed() {
		t.Errorf("%+v", w)
	}
	arns := map[string]string{}
	listed := map[string]bool{}
	var failed []account.RegionError
	if err := s.Audit(t.Context(), func(e account.Event) {
		switch {
		case e.Facts != nil:
			arns[e.Facts.Name] = e.Facts.ARN
		case e.Listing != nil && e.Listing.Done:
			listed[e.Listing.Account] = true
		case e.Region != nil:
			failed = append(failed, *e.Region)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(arns) != 2 || !listed["123456789012"] || !listed["210987654321"] || len(failed) != 1 || failed[0].Profile != "out" || failed[0].Message == "" {
		t.Errorf("%v %v %+v", arns, listed, failed)
	}
	for name, arn := range arns {
		if f, err := s.Measure(t.Context(), arn); err != nil || f.Name != name {
			t.Error(name, f, err)
		}
		set, err := s.Open(t.Context(), arn)
		if err != nil || set.Function == nil || set.Function.ARN != arn {
			t.Fatal(name, err)
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
		// A layer's name alone is one of the function's account.
		l, err := s.OpenLayer(t.Context(), "shared", arn, nil)
		if err != nil || account.AccountOfARN(l.Source) != account.AccountOfARN(arn) {
			t.Fatal(name, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.OpenLayer(t.Context(), "shared", "", nil); err == nil || !strings.Contains(err.Error(), "ARN") {
		t.Error("a bare name was taken for a layer of one of the accounts:", err)
	}
	p, err := find.Parse("secret.so")
	if err != nil {
		t.Fatal(err)
	}
	theirs := "arn:aws:lambda:eu-central-1:210987654321:layer:secretive:1"
	var found []find.Result
	if err := s.Find(t.Context(), p, []find.Layer{{ARN: theirs}}, func(r find.Result) { found = append(found, r) }); err != nil || len(found) != 1 || found[0].Total != 1 {
		t.Errorf("%+v %v", found, err)
	}
	if set, err := s.Fetch(t.Context(), func(string, int64, int64) {}, theirs); err != nil || len(set.Layers) != 1 || set.Layers[0].File == "" {
		t.Error(err)
	} else if err := set.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(t.Context(), "mine"); err == nil || !strings.Contains(err.Error(), "ARN") {
		t.Error("a bare name was taken for a function of one of the accounts:", err)
	}
	if _, n := s.Calls(); n == 0 {
		t.Error("no calls")
	}
	_, _, plan := s.Plan(t.Context(), arns["mine"], switchover.Choices{})
	_, apply := s.Apply(t.Context(), nil, nil, switchover.Choices{}, migrate.Watch{})
	_, resume := s.Resume(t.Context(), "x", migrate.Watch{})
	_, rollback := s.Rollback(t.Context(), "x", migrate.Watch{})
	_, publish := s.PublishLayer(t.Context(), arns["mine"], "", "", nil)
	for i, err := range []error{s.Arm("123456789012"), plan, apply, resume, rollback, publish} {
		if err == nil || !strings.Contains(err.Error(), "one profile") {
			t.Error(i, err)
		}
	}
	for _, p := range s.places {
		if p.session != nil && p.session.Armed() {
			t.Error(p.report.Profile, "is armed")
		}
	}
}

func TestSavedReportOnScreen(t *testing.T) {
	facts := &account.Facts{Function: account.Function{ARN: "arn:aws:lambda:eu-central-1:1:function:f", Name: "f", Region: "eu-central-1"}}
	r := account.NewReport("1", []string{"eu-central-1"}, []*account.Facts{facts}, nil)
	r.Created = "2026-06-01T00:00:00Z"
	s := &savedReport{report: r}
	names := []string{}
	if err := s.Audit(t.Context(), func(e account.Event) {
		if e.Facts != nil {
			names = append(names, e.Facts.Name)
		}
	}); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
	if w := s.Where(); w.Saved != "saved report of 2026-06-01T00:00:00Z" || w.Account != "1" || w.Demo || s.Armed() {
		t.Errorf("%+v", w)
	}
	if f, err := s.Measure(t.Context(), facts.ARN); err != nil || f.Name != "f" {
		t.Error(f, err)
	}
	_, measure := s.Measure(t.Context(), "arn:other")
	_, open := s.Open(t.Context(), facts.ARN)
	_, layer := s.OpenLayer(t.Context(), "arn:aws:lambda:eu-central-1:123456789012:layer:l:1", "", nil)
	_, fetch := s.Fetch(t.Context(), nil, facts.ARN)
	search := s.Find(t.Context(), nil, nil, nil)
	_, journals := s.Journals()
	for _, err := range []error{measure, open, layer, fetch, search, journals, s.Arm("1")} {
		if err == nil || !strings.Contains(err.Error(), "saved report of 2026-06-01T00:00:00Z") {
			t.Error(err)
		}
	}
	// Zips of this machine need no account.
	file := ziptest.Write(t, ziptest.File("a", "a"))
	set, err := s.Open(t.Context(), file)
	if err != nil || len(set.Layers) != 1 {
		t.Fatal(err)
	}
	l, err := s.OpenLayer(t.Context(), file, set.Near(), nil)
	if err != nil || l.Source != file {
		t.Fatal(err)
	}
	if err := errors.Join(set.Close(), l.Close()); err != nil {
		t.Error(err)
	}
	if (&savedReport{report: &account.Report{}}).Where().Saved == "" {
		t.Error("a report without a date is taken for an account")
	}
}
