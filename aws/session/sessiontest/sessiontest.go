// Package sessiontest opens sessions on an embedded account, for tests of the
// rooms that read and change one. It is test support; the program never imports it.
package sessiontest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// Region is the region of the account.
const Region = "eu-central-1"

// Role is a role that the account accepts.
const Role = "arn:aws:iam::123456789012:role/lambda"

// Account is an embedded account with an armed session, the one a test sets
// things up with.
type Account struct {
	*emulator.Server
	Session *session.Session
	Lambda  *lambda.Client
	t       testing.TB
}

// Start serves an empty account for as long as the test runs. It sets AWS's
// environment variables, so tests that use it can't be parallel.
func Start(t testing.TB) *Account {
	t.Helper()
	return StartWith(t, emulator.Options{Delay: time.Millisecond})
}

// StartWith is Start with options of the account's own.
func StartWith(t testing.TB, opts emulator.Options) *Account {
	t.Helper()
	server, err := emulator.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	a := At(t, server.Environ())
	a.Server = server
	return a
}

// At opens a session on an account that somebody else serves, as another
// process: environ is what that has printed, as NAME=value. Its Server is nil.
func At(t testing.TB, environ []string) *Account {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"),
		"AWS_PROFILE": "", "AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		t.Setenv(name, value)
	}
	a := &Account{t: t}
	a.Session = a.Open(session.Options{Write: true, Unlimited: true})
	a.Lambda = a.Session.Lambda(Region)
	return a
}

// Open opens another session on the account.
func (a *Account) Open(opts session.Options) *session.Session {
	a.t.Helper()
	s, err := session.Open(a.t.Context(), opts)
	if err != nil {
		a.t.Fatal(session.Explain(err))
	}
	return s
}

// Layer publishes a layer version and returns its ARN.
func (a *Account) Layer(name string, entries ...ziptest.Entry) string {
	a.t.Helper()
	out, err := a.Lambda.PublishLayerVersion(a.t.Context(), &lambda.PublishLayerVersionInput{
		LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: ziptest.Bytes(entries...)},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return aws.ToString(out.LayerVersionArn)
}

// DeleteLayer deletes a layer version that Layer has published.
func (a *Account) DeleteLayer(arn string) {
	a.t.Helper()
	name, _, _ := strings.Cut(strings.SplitN(arn, ":layer:", 2)[1], ":")
	if _, err := a.Lambda.DeleteLayerVersion(a.t.Context(), &lambda.DeleteLayerVersionInput{LayerName: &name, VersionNumber: aws.Int64(1)}); err != nil {
		a.t.Fatal(err)
	}
}

// Function creates a Node.js function; change may alter the request before it is sent.
func (a *Account) Function(name string, code []ziptest.Entry, change func(*lambda.CreateFunctionInput)) string {
	a.t.Helper()
	in := &lambda.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(Role), Runtime: types.RuntimeNodejs22x, Handler: aws.String("index.handler"),
		Code: &types.FunctionCode{ZipFile: ziptest.Bytes(code...)},
	}
	if change != nil {
		change(in)
	}
	out, err := a.Lambda.CreateFunction(a.t.Context(), in)
	if err != nil {
		a.t.Fatal(err)
	}
	return aws.ToString(out.FunctionArn)
}
