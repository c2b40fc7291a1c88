package emulator

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"

	"github.com/optlift/optlift/aws/emulator/wire"
)

var (
	matchAccount = regexp.MustCompile(`^\d{12}$`)
	matchRegion  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-\d{1,2}$`)
)

// identify reads who calls from where in the request's signature. The signature
// itself isn't checked: this account trusts every caller on the machine. An
// access key of twelve digits stands for the account with that number; every
// other is a key of the account's own.
func (s *Server) identify(r *http.Request) (wire.Call, *wire.Error) {
	c := wire.Call{ID: requestID(), Account: s.opts.Account, Region: s.opts.Region, Now: s.Now()}
	p := scope(r)
	if len(p) != 5 || p[4] != "aws4_request" || p[0] == "" {
		return c, &wire.Error{Code: "MissingAuthenticationTokenException", Status: 403, Message: "Missing Authentication Token", Lower: true}
	}
	c.AccessKey = p[0]
	if matchAccount.MatchString(p[0]) {
		c.Account = p[0]
	}
	if !matchRegion.MatchString(p[2]) {
		return c, &wire.Error{Code: "InvalidSignatureException", Status: 403, Message: "Credential should be scoped to a valid region. ", Lower: true}
	}
	c.Region = p[2]
	return c, nil
}

// scope is a signature's: access key, date, region, service, "aws4_request".
func scope(r *http.Request) []string {
	text := r.URL.Query().Get("X-Amz-Credential")
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256"), ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential="); ok {
			text = v
		}
	}
	return strings.Split(text, "/")
}

// signedFor is the service that a request's header is signed for, "" when it is
// not. Presigned URLs have their own paths.
func signedFor(r *http.Request) string {
	if p := scope(r); len(p) == 5 && r.Header.Get("Authorization") != "" {
		return p[3]
	}
	return ""
}

func requestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
