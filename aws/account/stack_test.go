package account_test

import (
	"strings"
	"testing"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session/sessiontest"
)

// A template is there, not there, not allowed to be read, or could not be.
func TestTemplateOf(t *testing.T) {
	a := sessiontest.StartWith(t, emulator.Options{})
	a.PutStack("shop", "Resources: {}\n")
	of := func(stack string) account.StackTemplate {
		return account.TemplateOf(t.Context(), a.Session, sessiontest.Region, stack)
	}
	if got := of("shop"); got != (account.StackTemplate{State: account.OK, Text: "Resources: {}\n"}) {
		t.Errorf("%+v", got)
	}
	if got := of("gone"); got.State != account.Deleted || !strings.Contains(got.Message, "no such stack") {
		t.Errorf("a stack that is not there: %+v", got)
	}
	if got := of("not a name"); got.State != account.Failed || !strings.Contains(got.Message, "stackName") {
		t.Errorf("a name that can't be one: %+v", got)
	}
	a.Inject(emulator.Fault{Operation: "GetTemplate", Kind: emulator.AccessDenied})
	if got := of("shop"); got.State != account.Denied || !strings.Contains(got.Message, "cloudformation:GetTemplate") {
		t.Errorf("a caller who may not: %+v", got)
	}
	// Reading it is allowed in a session that is not armed.
	a.Session.Disarm()
	if got := of("shop"); got.State != account.OK {
		t.Errorf("not armed: %+v", got)
	}
}
