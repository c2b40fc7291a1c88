package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is a refusal in AWS's form.
type Error struct {
	Code    string // "ResourceNotFoundException"
	Status  int    // HTTP status
	Message string
	// Fields are further members of the error's shape, such as Type or Reason.
	Fields map[string]string
	// Lower names the message member "message" instead of Lambda's "Message".
	Lower bool
	// Header holds further response headers, such as Retry-After.
	Header map[string]string
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes a refusal of the client's request.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// WriteRESTJSON answers e in the REST JSON protocol, as Lambda does: the code in
// the x-amzn-ErrorType header, the message and fields in the body.
func (e *Error) WriteRESTJSON(w http.ResponseWriter) {
	body := map[string]string{}
	if e.Lower {
		body["message"] = e.Message
	} else {
		body["Message"] = e.Message
	}
	for k, v := range e.Fields {
		body[k] = v
	}
	w.Header().Set("x-amzn-ErrorType", e.Code)
	e.write(w, "application/json", body)
}

// WriteJSON answers e in the AWS JSON 1.1 protocol, as ECR does: the code in the
// body's __type.
func (e *Error) WriteJSON(w http.ResponseWriter) {
	body := map[string]string{"__type": e.Code, "message": e.Message}
	for k, v := range e.Fields {
		body[k] = v
	}
	e.write(w, "application/x-amz-json-1.1", body)
}

func (e *Error) write(w http.ResponseWriter, contentType string, body any) {
	for k, v := range e.Header {
		w.Header().Set(k, v)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // a map of strings always encodes
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(e.Status)
	_, _ = w.Write([]byte(strings.TrimSuffix(b.String(), "\n")))
}
