package sessiontest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// STS hands out roles, which the embedded account does not. It trusts whoever asks
// and remembers what was asked for.
type STS struct {
	*httptest.Server
	// Lifetime is how long a role lasts; 0 is as long as it was asked for.
	Lifetime time.Duration
	// Refuse, which may be nil, makes AssumeRole fail with a code and a message.
	Refuse func(form url.Values) (code, message string)

	mu      sync.Mutex
	assumed []url.Values
	roles   map[string]string // ARNs by access key
}

// ServeSTS serves it for as long as the test runs, and sends STS's requests there.
func ServeSTS(t testing.TB) *STS {
	t.Helper()
	s := &STS{roles: map[string]string{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	return s
}

// Assumed are the requests for roles so far.
func (s *STS) Assumed() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.assumed...)
}

func (s *STS) serve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ = strings.Cut(key, "/")
	caller := s.roles[key]
	switch r.Form.Get("Action") {
	case "GetCallerIdentity":
		if caller == "" {
			caller = "arn:aws:iam::123456789012:user/" + key
		}
		answer(w, "GetCallerIdentity", struct{ Arn, UserId, Account string }{caller, "AIDAEXAMPLE", strings.Split(caller, ":")[4]})
	case "AssumeRole":
		s.assumed = append(s.assumed, r.Form)
		if s.Refuse != nil {
			if code, message := s.Refuse(r.Form); code != "" {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, message)
				return
			}
		}
		life, err := time.ParseDuration(r.Form.Get("DurationSeconds") + "s")
		if s.Lifetime != 0 || err != nil {
			life = s.Lifetime
		}
		key = fmt.Sprintf("ASIAEXAMPLE%09d", len(s.assumed))
		arn := strings.Replace(strings.Replace(r.Form.Get("RoleArn"), ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/" + r.Form.Get("RoleSessionName")
		s.roles[key] = arn
		type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		type user struct{ Arn, AssumedRoleId string }
		answer(w, "AssumeRole", struct {
			Credentials     credentials
			AssumedRoleUser user
		}{credentials{key, "secret", "token", time.Now().Add(life).UTC().Format(time.RFC3339)}, user{arn, "AROAEXAMPLE:" + r.Form.Get("RoleSessionName")}})
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

// answer writes a result in the two envelopes of the Query protocol.
func answer(w http.ResponseWriter, action string, result any) {
	fmt.Fprintf(w, `<%sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`, action)
	_ = xml.NewEncoder(w).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: action + "Result"}}) // to a buffer of the connection
	fmt.Fprintf(w, "</%sResponse>", action)
}
