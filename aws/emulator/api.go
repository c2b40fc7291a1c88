package emulator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/s3"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// ServeHTTP tells the protocols apart that share the one host and port.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.busy.Add(1)
	defer s.busy.Add(-1)
	switch path := r.URL.Path; {
	case signedFor(r) == "s3": // first: a bucket may have any of the names below
		s.serveBuckets(w, r)
	case path == "/v2" || strings.HasPrefix(path, "/v2/"):
		s.serveStream(w, r, "registry", registryOperation(r), func(w http.ResponseWriter, _ objects.Tamper) { s.ecr.ServeHTTP(w, r) })
	case strings.HasPrefix(path, objects.Prefix):
		s.serveStream(w, r, "download", "GetObject", func(w http.ResponseWriter, t objects.Tamper) { s.objects.Serve(w, r, s.Now(), t) })
	case strings.HasPrefix(path, "/_optlift/"):
		s.admin(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// serveBuckets serves S3, whose paths are the client's own choice.
func (s *Server) serveBuckets(w http.ResponseWriter, r *http.Request) {
	call, bad := s.identify(r)
	if bad != nil {
		s3.Refuse(w, r, call.ID, &s3.Error{Status: bad.Status, Code: "AccessDenied", Message: bad.Message})
		return
	}
	s.serveStream(w, r, "s3", s3.Operation(r), func(w http.ResponseWriter, _ objects.Tamper) { s.buckets.Serve(w, r, call) })
}

// registryOperation names a request to the registry.
func registryOperation(r *http.Request) string {
	_, upload, _ := strings.Cut(r.URL.Path, "/blobs/uploads")
	switch path := r.URL.Path; {
	case strings.Contains(path, "/manifests/"):
		return map[string]string{"GET": "GetManifest", "HEAD": "GetManifest", "PUT": "PutManifest", "DELETE": "DeleteManifest"}[r.Method]
	case strings.Contains(path, "/blobs/uploads"):
		if strings.Trim(upload, "/") == "" {
			return "StartUpload"
		}
		return map[string]string{"PATCH": "PatchUpload", "PUT": "PutUpload", "GET": "GetUpload", "DELETE": "DeleteUpload"}[r.Method]
	case strings.Contains(path, "/blobs/"):
		return "GetBlob"
	}
	return "Ping"
}

// serveStream serves a download or the registry, whose bodies are not held in memory.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, service, operation string, serve func(http.ResponseWriter, objects.Tamper)) {
	rec := Record{ID: requestID(), Service: service, Operation: operation, Target: r.URL.Path, Account: s.opts.Account, Region: s.opts.Region, At: s.Now(), Status: http.StatusOK}
	f := s.faults.take(rec)
	// Remembered before the answer leaves, so that who has it finds the record.
	remember := sync.OnceFunc(func() { s.faults.remember(rec) })
	out := &watched{ResponseWriter: w, status: &rec.Status, begins: remember}
	defer remember()
	if f == nil {
		serve(out, objects.Tamper{})
		return
	}
	rec.Fault = f.Kind
	if f.After {
		serve(&recorder{header: http.Header{}}, objects.Tamper{})
	}
	if f.Hook != nil {
		f.Hook(rec)
	}
	if e := f.Kind.refusal(rec); e != nil {
		rec.Error = e.Code
		if service == "registry" {
			registryRefusal(out, e)
		} else {
			s3.Refuse(out, r, rec.ID, f.Kind.object(e))
		}
		return
	}
	switch f.Kind {
	case None:
		serve(out, objects.Tamper{})
	case IgnoreRange:
		serve(out, objects.Tamper{IgnoreRange: true})
	case Truncate, Corrupt:
		serve(&damage{ResponseWriter: out, kind: f.Kind, left: -1}, objects.Tamper{})
	case WrongDigest:
		serve(misnamed{out}, objects.Tamper{})
	default:
		rec.Status = 0
		f.Kind.strike(w, r)
	}
}

// registryRefusal writes an error as registries do.
func registryRefusal(w http.ResponseWriter, e *wire.Error) {
	code := map[int]string{429: "TOOMANYREQUESTS", 403: "DENIED", 400: "DENIED"}[e.Status]
	if code == "" {
		code = "UNKNOWN"
	}
	status := e.Status
	if status == http.StatusBadRequest {
		status = http.StatusForbidden
		if e.Code == "ThrottlingException" {
			status, code = http.StatusTooManyRequests, "TOOMANYREQUESTS"
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": e.Message}}})
}

// watched notes the status of a response.
type watched struct {
	http.ResponseWriter
	status *int
	begins func() // called before the answer's first byte
}

func (w *watched) WriteHeader(status int) {
	*w.status = status
	w.begins()
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// ReadFrom keeps the kernel's short way from a file to the connection.
func (w *watched) ReadFrom(r io.Reader) (int64, error) { return io.Copy(w.ResponseWriter, r) }

// request is an API request that has been understood.
type request struct {
	call   wire.Call
	record Record
	run    func() (answer, error)
	refuse func(*wire.Error, http.ResponseWriter) // in the request's protocol
}

// serveAPI answers Lambda, ECR, STS, IAM, EC2 and Account requests.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	call, bad := s.identify(r)
	q, err := s.understand(r, &call)
	rec := &q.record
	rec.ID, rec.Account, rec.Region, rec.At = call.ID, call.Account, call.Region, call.Now
	var f *Fault
	var a answer
	switch {
	case bad != nil:
		err = bad
	case err == nil:
		if f = s.faults.take(*rec); f != nil {
			rec.Fault = f.Kind
		}
		a, err = s.perform(q, f)
	}
	if err != nil {
		a = failure(err, q.refuse)
		if e, ok := err.(*wire.Error); ok {
			rec.Error = e.Code
		} else {
			rec.Error = "ServiceException"
			s.log.Error("operation failed", "operation", rec.Operation, "target", rec.Target, "error", err)
		}
	}
	rec.Status = a.status
	s.log.Debug("answered", "operation", rec.Operation, "target", rec.Target, "status", a.status, "error", rec.Error)
	h := w.Header()
	for k, v := range a.header {
		h[k] = v
	}
	h.Set("x-amzn-RequestId", call.ID)
	h.Set("x-amz-request-id", call.ID)
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	var out http.ResponseWriter = w
	if f != nil {
		switch f.Kind {
		case Truncate, Corrupt:
			out = &damage{ResponseWriter: w, kind: f.Kind, left: -1}
		case Stall, Reset:
			rec.Status = 0
			s.faults.remember(*rec)
			f.Kind.strike(w, r)
			return
		}
	}
	// Remembered before the answer leaves, so that who has it finds the record.
	s.faults.remember(*rec)
	out.WriteHeader(a.status)
	_, _ = out.Write(a.body)
}

// perform runs a request, or lets the fault do so.
func (s *Server) perform(q request, f *Fault) (answer, error) {
	if s.opts.Rates && q.record.Service == "lambda" && !s.rates.allow(q.call.Account, q.call.Region, q.record.Operation, q.call.Now) {
		return answer{}, Throttle.refusal(q.record)
	}
	var a answer
	var err error
	whole := f == nil || f.After || f.Kind == Truncate || f.Kind == Corrupt || f.Kind == IgnoreRange || f.Kind == WrongDigest || f.Kind == None
	if whole {
		a, err = q.run()
	}
	if f == nil {
		return a, err
	}
	if f.Hook != nil {
		f.Hook(q.record)
	}
	if e := f.Kind.refusal(q.record); e != nil {
		return answer{}, e
	}
	return a, err
}

// understand finds out what a request asks for. It completes the call.
func (s *Server) understand(r *http.Request, call *wire.Call) (request, error) {
	ctx := r.Context()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return s.understandJSON(ctx, r, target, call)
	}
	if r.URL.Path == "/" {
		return s.understandQuery(r, call)
	}
	q := request{call: *call, refuse: (*wire.Error).WriteRESTJSON, record: Record{Service: "lambda", Operation: r.Method + " " + r.URL.Path, Target: r.URL.Path}}
	if r.Method == http.MethodPost && r.URL.Path == "/listRegions" {
		q.record.Service, q.record.Operation, q.record.Target = "account", "ListRegions", ""
		q.run = listRegions
		return q, nil
	}
	rt, labels, ok := s.rest.match(r)
	if !ok {
		return q, unknownOperation(r.Method + " " + r.URL.Path)
	}
	call.Operation = rt.op.Name()
	q.record.Operation, q.call = call.Operation, *call
	if rt.op.Run == nil {
		return q, unknownOperation(call.Operation)
	}
	in, err := rt.decode(r, labels)
	if err != nil {
		return q, err
	}
	q.record.Target = targetOf(in)
	q.run = func() (answer, error) { return rt.run(ctx, q.call, in) }
	return q, nil
}

// unknownOperation is an honest answer to what AWS has and this account has not.
func unknownOperation(what string) error {
	return &wire.Error{Code: "UnsupportedOperationException", Status: 400, Lower: true,
		Message: "The embedded account does not have the operation " + what + "."}
}

// targetOf is what an input is about.
func targetOf(in any) string {
	v := reflect.ValueOf(in).Elem()
	for _, name := range []string{"FunctionName", "LayerName", "UUID", "Resource", "ResourceArn", "Arn", "CodeSigningConfigArn"} {
		if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.Pointer && !f.IsNil() {
			return f.Elem().String()
		}
	}
	return ""
}

func (s *Server) understandJSON(ctx context.Context, r *http.Request, target string, call *wire.Call) (request, error) {
	service, operation, _ := strings.Cut(target, ".")
	call.Operation = operation
	q := request{call: *call, refuse: (*wire.Error).WriteJSON, record: Record{Service: "ecr", Operation: operation}}
	body, err := readBody(r, operation)
	if err != nil {
		return q, err
	}
	if service != "AmazonEC2ContainerRegistry_V20150921" {
		return q, unknownOperation(target)
	}
	var about struct {
		RepositoryName string `json:"repositoryName"`
	}
	_ = json.Unmarshal(body, &about) // only for the record; the operation reads it again
	q.record.Target = about.RepositoryName
	q.run = func() (answer, error) {
		out, err := s.ecr.Call(ctx, q.call, body)
		if err != nil {
			return answer{}, err
		}
		return newAnswer(http.StatusOK, "application/x-amz-json-1.1", out), nil
	}
	return q, nil
}

func (s *Server) understandQuery(r *http.Request, call *wire.Call) (request, error) {
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		body, err := readBody(r, "Query")
		if err != nil {
			return request{call: *call, refuse: queryCall{}.refuse(call.ID)}, err
		}
		if form, err = url.ParseQuery(string(body)); err != nil {
			return request{call: *call, refuse: queryCall{}.refuse(call.ID)}, wire.Errorf(400, "MalformedQueryString", "The request body is not a form.")
		}
	}
	p, ok := parseQuery(form)
	call.Operation = p.action
	q := request{call: *call, refuse: p.refuse(call.ID), record: Record{Service: p.service, Operation: p.action}}
	if !ok {
		return q, wire.Errorf(400, "InvalidAction", "The embedded account does not have the operation %s.", form.Get("Action"))
	}
	q.run = func() (answer, error) { return p.run(s, q.call) }
	return q, nil
}

// listRegions is the Account service's, for the regions every account has.
func listRegions() (answer, error) {
	type region struct {
		RegionName      string
		RegionOptStatus string `json:"RegionOptStatus"`
	}
	var out struct{ Regions []region }
	for _, name := range regions {
		out.Regions = append(out.Regions, region{name, "ENABLED_BY_DEFAULT"})
	}
	body, err := json.Marshal(out)
	return newAnswer(http.StatusOK, "application/json", body), err
}

// Do runs a Lambda operation in this process, without HTTP, faults or rates:
// input is a pointer to one of the SDK's inputs, the output a pointer to a
// struct with the fields of the SDK's output. Of call only Account, Region, Now
// and Privileged are read; empty ones become the server's.
func (s *Server) Do(ctx context.Context, call wire.Call, input any) (any, error) {
	op, ok := s.rest.byType[reflect.TypeOf(input)]
	if !ok {
		return nil, fmt.Errorf("run %T: the embedded account does not have this operation", input)
	}
	if call.Account == "" {
		call.Account = s.opts.Account
	}
	if call.Region == "" {
		call.Region = s.opts.Region
	}
	if call.Now.IsZero() {
		call.Now = s.Now()
	}
	call.ID, call.Operation = requestID(), op.Name()
	return op.Run(ctx, call, input)
}
