package objects

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strconv"
	"time"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// Lifetime is how long a presigned URL of Lambda's is valid
// (Go SDK, lambda.GetFunction: "a link … that's valid for 10 minutes").
const Lifetime = 10 * time.Minute

const stamp = "20060102T150405Z"

// Prefix is the path under which the server mounts the store.
const Prefix = "/snapshots/"

// Presign makes the URL of an object. name is what the object is called in it,
// such as the function's name.
func (s *Store) Presign(call wire.Call, sha256Hex, name string) string {
	path := Prefix + call.Account + "/" + url.PathEscape(name) + "-" + sha256Hex
	q := url.Values{
		"X-Amz-Algorithm":      {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":     {"ASIAEMULATOR/" + call.Now.UTC().Format("20060102") + "/" + call.Region + "/s3/aws4_request"},
		"X-Amz-Date":           {call.Now.UTC().Format(stamp)},
		"X-Amz-Expires":        {strconv.Itoa(int(Lifetime / time.Second))},
		"X-Amz-Security-Token": {s.sign("token", call.ID+call.Now.String())},
		"X-Amz-SignedHeaders":  {"host"},
		"versionId":            {s.sign("version", sha256Hex)[:32]},
	}
	q.Set("X-Amz-Signature", s.sign("GET\n"+path, q.Encode()))
	return "http://" + s.host() + path + "?" + q.Encode()
}

func (s *Store) sign(what, text string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(what + "\n" + text))
	return hex.EncodeToString(m.Sum(nil))
}

// check verifies a presigned request: the S3 error it answers, or "".
func (s *Store) check(method, path string, q url.Values, now time.Time) (code, message string) {
	got := q.Get("X-Amz-Signature")
	if got == "" {
		return "AccessDenied", "Access Denied"
	}
	rest := url.Values{}
	for k, v := range q {
		if k != "X-Amz-Signature" {
			rest[k] = v
		}
	}
	want := s.sign(method+"\n"+path, rest.Encode())
	if !hmac.Equal([]byte(got), []byte(want)) {
		return "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method."
	}
	signed, err := time.Parse(stamp, q.Get("X-Amz-Date"))
	seconds, err2 := strconv.Atoi(q.Get("X-Amz-Expires"))
	if err != nil || err2 != nil {
		return "AuthorizationQueryParametersError", "Query-string authentication version 4 requires the X-Amz-Date and X-Amz-Expires parameters"
	}
	// S3 counts in whole seconds, from the second of X-Amz-Date.
	if now.After(signed.Add(time.Duration(seconds) * time.Second)) {
		return "AccessDenied", "Request has expired"
	}
	return "", ""
}
