package emulator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// mostRequest is the largest body Lambda reads, in bytes (recorded in
// LocalStack's test_oversized_request_create_lambda).
const mostRequest = 70167211

// rest routes and translates the REST JSON protocol by the SDK's schemas.
type rest struct {
	routes map[string][]route // by method and number of path segments
	byType map[reflect.Type]wire.Operation
}

type route struct {
	op    wire.Operation
	path  []string          // segments; "{Label}" is a member
	query map[string]string // literal parameters
	code  int
}

func newREST(ops []wire.Operation) *rest {
	r := &rest{routes: map[string][]route{}, byType: map[reflect.Type]wire.Operation{}}
	for _, op := range ops {
		r.add(op)
		if op.New != nil {
			r.byType[reflect.TypeOf(op.New())] = op
		}
	}
	return r
}

// add makes an operation's route, if it has one; others are reachable by Do only.
func (r *rest) add(op wire.Operation) {
	h, ok := smithy.SchemaTrait[*traits.HTTP](op.Schema)
	if !ok {
		return
	}
	path, query, _ := strings.Cut(h.URI, "?")
	rt := route{op: op, path: split(path), code: h.Code, query: map[string]string{}}
	if values, err := url.ParseQuery(query); err == nil {
		for k := range values {
			rt.query[k] = values.Get(k)
		}
	}
	key := bucket(h.Method, len(rt.path))
	r.routes[key] = append(r.routes[key], rt)
}

func bucket(method string, segments int) string { return method + strings.Repeat("/", segments) }

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// match finds the operation of a request and the values of its path labels.
// Older models end some paths with a slash, which means nothing.
func (r *rest) match(req *http.Request) (route, map[string]string, bool) {
	segments := split(req.URL.EscapedPath())
	query := req.URL.Query()
	var best route
	var values map[string]string
	for _, rt := range r.routes[bucket(req.Method, len(segments))] {
		labels, ok := rt.labels(segments)
		for k, v := range rt.query {
			ok = ok && query.Get(k) == v
		}
		if ok && (values == nil || len(rt.query) > len(best.query) || len(labels) < len(values)) {
			best, values = rt, labels
		}
	}
	return best, values, values != nil
}

func (rt route) labels(segments []string) (map[string]string, bool) {
	out := map[string]string{}
	for i, want := range rt.path {
		if !strings.HasPrefix(want, "{") {
			if want != segments[i] {
				return nil, false
			}
			continue
		}
		text, err := url.PathUnescape(segments[i])
		if err != nil || text == "" {
			return nil, false
		}
		out[strings.Trim(want, "{}")] = text
	}
	return out, true
}

// decode makes the operation's input of a request.
func (rt route) decode(req *http.Request, labels map[string]string) (any, error) {
	body, err := readBody(req, rt.op.Name())
	if err != nil {
		return nil, err
	}
	in := rt.op.New()
	v := reflect.ValueOf(in).Elem()
	query := req.URL.Query()
	payload := false
	for name, m := range rt.op.Input.Members() {
		var texts []string
		if _, ok := smithy.SchemaTrait[*traits.HTTPLabel](m); ok {
			texts = []string{labels[name]}
		} else if q, ok := smithy.SchemaTrait[*traits.HTTPQuery](m); ok {
			texts = query[q.Name]
		} else if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
			texts = req.Header.Values(h.Name)
		} else if _, ok := smithy.SchemaTrait[*traits.HTTPPayload](m); ok {
			payload = true
			wire.Field(v, name).SetBytes(body)
		}
		f := wire.Field(v, name)
		for _, text := range texts {
			if err := wire.SetText(name, text, f); err != nil {
				return nil, err
			}
		}
	}
	if !payload {
		if err := wire.Unmarshal(rt.op.Input, body, in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func readBody(req *http.Request, operation string) ([]byte, error) {
	var b bytes.Buffer
	if n := req.ContentLength; n > 0 && n <= mostRequest {
		b.Grow(int(n))
	}
	if _, err := b.ReadFrom(io.LimitReader(req.Body, mostRequest+1)); err != nil {
		return nil, wire.Errorf(400, "RequestTimeout", "The request body of %s could not be read: %v", operation, err)
	}
	if b.Len() > mostRequest {
		_, _ = io.Copy(io.Discard, req.Body) // so that the client reads the answer
		return nil, wire.Errorf(413, "RequestEntityTooLargeException", "Request must be smaller than %d bytes for the %s operation", mostRequest, operation)
	}
	return b.Bytes(), nil
}

// answer is a response that is not yet on its way, so that a fault can take its
// place after the effect.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newAnswer(status int, contentType string, body []byte) answer {
	a := answer{status: status, header: http.Header{}, body: body}
	if len(body) > 0 {
		a.header.Set("Content-Type", contentType)
	}
	return a
}

// run executes the operation and encodes what comes of it.
func (rt route) run(ctx context.Context, call wire.Call, in any) (answer, error) {
	out, err := rt.op.Run(ctx, call, in)
	if err != nil {
		return answer{}, err
	}
	if rt.op.Output == nil {
		return newAnswer(rt.code, "", nil), nil
	}
	a := newAnswer(rt.code, "", nil)
	v := reflect.Indirect(reflect.ValueOf(out))
	payload := false
	for name, m := range rt.op.Output.Members() {
		f := reflect.Indirect(wire.Field(v, name))
		if _, ok := smithy.SchemaTrait[*traits.HTTPResponseCode](m); ok && f.IsValid() && f.Int() != 0 {
			a.status = int(f.Int())
		} else if h, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok && f.IsValid() && f.Kind() == reflect.String && f.String() != "" {
			a.header.Set(h.Name, f.String())
		} else if _, ok := smithy.SchemaTrait[*traits.HTTPPayload](m); ok {
			payload, a.body = true, f.Bytes()
		}
	}
	if !payload && a.status != http.StatusNoContent {
		if a.body, err = wire.Marshal(rt.op.Output, out); err != nil {
			return answer{}, err
		}
	}
	if len(a.body) > 0 {
		a.header.Set("Content-Type", "application/json")
	}
	return a, nil
}

// failure turns an error into an answer, written by how the protocol shows one.
// What isn't a refusal is a bug of this program, and says so.
func failure(err error, write func(*wire.Error, http.ResponseWriter)) answer {
	var e *wire.Error
	if !errors.As(err, &e) {
		e = &wire.Error{Code: "ServiceException", Status: 500, Message: "The embedded account failed: " + err.Error(), Fields: map[string]string{"Type": "Service"}}
	}
	rec := &recorder{header: http.Header{}, status: 200}
	write(e, rec)
	return answer{status: rec.status, header: rec.header, body: rec.body.Bytes()}
}

// recorder collects a response.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
