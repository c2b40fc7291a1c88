package oci

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

// TokenLife is how long ECR's authorization token is valid
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
const TokenLife = 12 * time.Hour

// User is the name that goes with every token.
const User = "AWS"

// IssueToken returns a password for User and when it ends. Tokens are signed
// rather than kept, so any number of them costs nothing.
func (r *Registry) IssueToken() (password string, expires time.Time) {
	expires = r.now().Add(TokenLife).Truncate(time.Second)
	payload := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	return base64.StdEncoding.EncodeToString(append(payload, r.sign(payload)...)), expires
}

func (r *Registry) sign(payload []byte) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write(payload)
	return mac.Sum(nil)
}

// authorize answers nil for a request that carries a valid token.
func (r *Registry) authorize(req *http.Request) *Error {
	user, password, ok := req.BasicAuth()
	if !ok || user != User {
		return fail(http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized")
	}
	raw, err := base64.StdEncoding.DecodeString(password)
	if err != nil || len(raw) != 8+sha256.Size || !hmac.Equal(raw[8:], r.sign(raw[:8])) {
		return fail(http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized")
	}
	if !r.now().Before(time.Unix(int64(binary.BigEndian.Uint64(raw)), 0)) {
		// ECR answers 403 here, so that clients do not ask for a password again.
		return fail(http.StatusForbidden, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")
	}
	return nil
}
