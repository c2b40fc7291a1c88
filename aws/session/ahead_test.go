package session

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is known ahead comes from files and the environment alone: there is no
// endpoint here that could be asked.
func TestAhead(t *testing.T) {
	serve(t, false).Close()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"} {
		t.Setenv(name, "")
	}
	files := `[default]
region = eu-west-1
[profile tool]
region = eu-west-2
credential_process = /bin/keys
[profile role]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = tool
region = eu-west-3
`
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte(files), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  map[string]string
		opts Options
		want Outlook
	}{
		{"the default profile", nil, Options{}, Outlook{"default", []string{"eu-west-1"}, false}},
		{"a flag's regions", nil, Options{Regions: []string{"us-east-1", " us-east-2"}}, Outlook{"default", []string{"us-east-1", "us-east-2"}, false}},
		{"regions that must be asked for", nil, Options{Regions: []string{"all"}}, Outlook{"default", nil, false}},
		{"regions that are none", nil, Options{Regions: []string{"evil.example"}}, Outlook{"default", nil, false}},
		{"the environment's region", map[string]string{"AWS_REGION": "ap-south-1"}, Options{}, Outlook{"default", []string{"ap-south-1"}, false}},
		{"a profile", nil, Options{Profile: "tool"}, Outlook{"tool", []string{"eu-west-2"}, true}},
		{"a profile's source", map[string]string{"AWS_PROFILE": "role"}, Options{}, Outlook{"role", []string{"eu-west-3"}, true}},
		{"keys instead", map[string]string{"AWS_PROFILE": "tool", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, Options{}, Outlook{"tool", []string{"eu-west-2"}, false}},
		{"a profile that is named beats keys", map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, Options{Profile: "tool"}, Outlook{"tool", []string{"eu-west-2"}, true}},
		{"no such profile", nil, Options{Profile: "nobody"}, Outlook{"nobody", nil, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			if diff := cmp.Diff(c.want, Ahead(t.Context(), c.opts)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if (Options{Regions: []string{"evil.example"}}).Check() == nil || (Options{Regions: []string{"eu-west-1"}}).Check() != nil {
		t.Error("Check")
	}
}

func TestCommandsThatHelp(t *testing.T) {
	expired := &credentialsError{profile: "prod", login: "prod", err: errors.New("no token")}
	if got := Commands(expired); len(got) != 1 || got[0] != "aws sso login --profile prod" {
		t.Error(got)
	}
	what, next := Split(expired)
	if Explain(expired) != what+": "+next {
		t.Error(what, next)
	}
}
