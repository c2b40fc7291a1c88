package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/emulator/s3"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// Failure is what a fault does to a request.
type Failure string

// The failures.
const (
	Throttle     Failure = "throttle"      // 429, or ECR's 400
	Internal     Failure = "internal"      // 500
	Unavailable  Failure = "unavailable"   // 503
	Reset        Failure = "reset"         // the connection breaks without an answer
	Stall        Failure = "stall"         // no answer until the client gives up
	Truncate     Failure = "truncate"      // half of the body, then the connection breaks
	Corrupt      Failure = "corrupt"       // one byte of the body is another
	WrongDigest  Failure = "wrong-digest"  // the registry says that content has another digest
	IgnoreRange  Failure = "ignore-range"  // a ranged download gets the whole object
	ExpiredToken Failure = "expired-token" // the session token has ended
	AccessDenied Failure = "access-denied" // IAM refuses the operation
	None         Failure = "none"          // nothing but the Hook
)

// Fault makes requests fail on demand.
type Fault struct {
	// Operation is an API operation, S3's among them, "GetObject" for a download,
	// or for the registry "GetManifest", "PutManifest", "DeleteManifest", "GetBlob",
	// "StartUpload", "PatchUpload", "PutUpload" or "Ping". "" is any.
	Operation string `json:"operation"`
	// Target is a part of what the request is about: a function's name or ARN, a
	// mapping's UUID, a path. "" is any.
	Target string  `json:"target"`
	Kind   Failure `json:"kind"`
	// After lets the request take its effect first; the client sees the failure all the same.
	After bool `json:"after"`
	Skip  int  `json:"skip"`  // matching requests to let pass first
	Count int  `json:"count"` // how many then fail; 0 is 1, less than 0 all
	// Hook is called when the fault strikes, before the failure is shown.
	Hook func(Record) `json:"-"`
}

// Record is a request the account has seen.
type Record struct {
	ID        string    `json:"id"`
	Service   string    `json:"service"` // lambda, ecr, registry, download, s3, sts, iam, ec2, account
	Operation string    `json:"operation"`
	Target    string    `json:"target"`
	Account   string    `json:"account"`
	Region    string    `json:"region"`
	At        time.Time `json:"at"` // by the account's clock
	Status    int       `json:"status"`
	Error     string    `json:"error,omitempty"` // AWS's error code
	Fault     Failure   `json:"fault,omitempty"`
}

// mostRecords bounds what is remembered; the oldest go first.
const mostRecords = 20000

// faults decides which requests fail and remembers all of them.
type faults struct {
	mu      sync.Mutex
	active  []*Fault
	records []Record
}

// take returns the fault that strikes a request, if any.
func (f *faults) take(r Record) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, x := range f.active {
		if x.Operation != "" && x.Operation != r.Operation || !strings.Contains(r.Target, x.Target) {
			continue
		}
		if x.Skip > 0 {
			x.Skip--
			continue
		}
		struck := *x
		if x.Count == 0 {
			x.Count = 1
		}
		if x.Count--; x.Count == 0 {
			f.active = append(f.active[:i:i], f.active[i+1:]...)
		}
		return &struck
	}
	return nil
}

func (f *faults) remember(r Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.records) >= mostRecords {
		f.records = append(f.records[:0], f.records[mostRecords/2:]...)
	}
	f.records = append(f.records, r)
}

// Inject adds a fault. Faults are tried in the order they were added.
func (s *Server) Inject(f Fault) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = append(s.faults.active, &f)
}

// ClearFaults removes every fault.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.active = nil
}

// Calls returns the requests seen so far, in the order they were answered; the
// latest 10,000 at least.
func (s *Server) Calls() []Record {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return append([]Record(nil), s.faults.records...)
}

// ForgetCalls empties what Calls returns.
func (s *Server) ForgetCalls() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.records = nil
}

// refusal is the AWS error of a failure that has one.
func (f Failure) refusal(r Record) *wire.Error {
	switch f {
	case Throttle:
		e := &wire.Error{Code: "TooManyRequestsException", Status: 429, Message: "Rate exceeded", Lower: true,
			Fields: map[string]string{"Type": "User", "Reason": "CallerRateLimitExceeded"}}
		if r.Service != "lambda" {
			e.Code, e.Status, e.Fields = "ThrottlingException", 400, nil
		}
		return e
	case Internal:
		return &wire.Error{Code: "ServiceException", Status: 500, Message: "An error occurred and the request cannot be processed.", Fields: map[string]string{"Type": "Service"}}
	case Unavailable:
		return &wire.Error{Code: "ServiceUnavailable", Status: 503, Message: "Service is unable to handle request.", Lower: true}
	case ExpiredToken:
		e := &wire.Error{Code: "ExpiredTokenException", Status: 403, Message: "The security token included in the request is expired", Lower: true}
		if r.Service != "lambda" {
			e.Status = 400
		}
		return e
	case AccessDenied:
		e := &wire.Error{Code: "AccessDeniedException", Status: 403, Message: fmt.Sprintf("User: arn:aws:iam::%s:user/optlift is not authorized to perform: %s:%s on resource: %s because no identity-based policy allows the %s:%s action", r.Account, r.Service, r.Operation, r.Target, r.Service, r.Operation)}
		if r.Service != "lambda" {
			e.Status = 400
		}
		return e
	}
	return nil
}

// object is the failure as S3 tells it
// (docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
func (f Failure) object(e *wire.Error) *s3.Error {
	switch f {
	case Throttle:
		return &s3.Error{Status: 503, Code: "SlowDown", Message: "Please reduce your request rate."}
	case Internal:
		return &s3.Error{Status: 500, Code: "InternalError", Message: "We encountered an internal error. Please try again."}
	case Unavailable:
		return &s3.Error{Status: 503, Code: "ServiceUnavailable", Message: "Please reduce your request rate."}
	case ExpiredToken:
		return &s3.Error{Status: 400, Code: "ExpiredToken", Message: "The provided token has expired."}
	case AccessDenied:
		return &s3.Error{Status: 403, Code: "AccessDenied", Message: "Access Denied"}
	}
	return &s3.Error{Status: e.Status, Code: e.Code, Message: e.Message}
}

// strike breaks a request off without an answer.
func (f Failure) strike(w http.ResponseWriter, r *http.Request) {
	switch f {
	case Stall:
		<-r.Context().Done()
	case Reset:
		if h, ok := w.(http.Hijacker); ok {
			if c, _, err := h.Hijack(); err == nil {
				// In the middle of the first line: a client that has seen nothing may
				// take the connection for one that was idle, and try again by itself.
				_, _ = c.Write([]byte("HTTP/1.1 "))
				if t, ok := c.(interface{ SetLinger(int) error }); ok {
					_ = t.SetLinger(0) // a reset, not an end
				}
				_ = c.Close()
				return
			}
		}
	}
	panic(http.ErrAbortHandler)
}

// damage wraps a response so that its body is cut short or altered.
type damage struct {
	http.ResponseWriter
	kind Failure
	left int64 // bytes to let through; -1 until the header is written
}

func (d *damage) WriteHeader(status int) {
	d.ResponseWriter.WriteHeader(status)
	d.left = 1
	var n int64
	if _, err := fmt.Sscan(d.Header().Get("Content-Length"), &n); err == nil {
		d.left = n / 2
	}
}

func (d *damage) Write(p []byte) (int, error) {
	if d.left < 0 {
		d.WriteHeader(http.StatusOK)
	}
	if d.left >= int64(len(p)) {
		d.left -= int64(len(p))
		return d.ResponseWriter.Write(p)
	}
	if d.kind == Corrupt {
		q := append([]byte(nil), p...)
		if i := d.left; i < int64(len(q)) {
			q[i] ^= 0xff
		}
		d.left = 1 << 62 // once
		return d.ResponseWriter.Write(q)
	}
	_, _ = d.ResponseWriter.Write(p[:d.left])
	if f, ok := d.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// misnamed wraps a response of the registry's that names another digest than it
// should.
type misnamed struct{ http.ResponseWriter }

func (m misnamed) WriteHeader(status int) {
	const name = "Docker-Content-Digest"
	if digest := m.Header().Get(name); digest != "" {
		last := "0"
		if strings.HasSuffix(digest, last) {
			last = "1"
		}
		m.Header().Set(name, digest[:len(digest)-1]+last)
	}
	m.ResponseWriter.WriteHeader(status)
}

// admin answers what AWS's clients never ask for. /_optlift/faults: POST adds a
// fault, DELETE removes all, GET lists the requests seen. GET /_optlift/events
// lists the asynchronous invocations; POST /_optlift/clock?advance=1h moves the
// account's clock forward.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /_optlift/events":
		list, err := s.Events(r.Context())
		if err != nil {
			return // the client has gone
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list)
		return
	case "POST /_optlift/clock":
		d, err := time.ParseDuration(r.URL.Query().Get("advance"))
		if err != nil || d < 0 {
			http.Error(w, "move the clock: advance must be a time such as 90s or 6h", http.StatusBadRequest)
			return
		}
		s.Advance(d)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.URL.Path != "/_optlift/faults" {
		http.NotFound(w, r)
		return
	}
	switch r.Method {
	case http.MethodPost:
		var f Fault
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&f); err != nil {
			http.Error(w, "read fault: "+err.Error(), http.StatusBadRequest)
			return
		}
		if !f.Kind.known() {
			http.Error(w, "unknown kind of fault: "+string(f.Kind), http.StatusBadRequest)
			return
		}
		s.Inject(f)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodDelete:
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.Calls())
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (f Failure) known() bool {
	switch f {
	case Throttle, Internal, Unavailable, Reset, Stall, Truncate, Corrupt, WrongDigest, IgnoreRange, ExpiredToken, AccessDenied, None:
		return true
	}
	return false
}
