package s3

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// namespace is that of S3's documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// request is one to S3.
type request struct {
	*http.Request
	w           http.ResponseWriter
	call        wire.Call
	query       url.Values
	bucket, key string
}

// split finds the bucket and key of a request, by path or by host name.
func split(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	host, _, _ := strings.Cut(r.Host, ":")
	if name, ok := strings.CutSuffix(host, ".localhost"); ok {
		return name, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

// operation is one of S3's.
type operation struct {
	name string
	run  func(*Store, *request) error
}

// resources are the parts of buckets and objects that have operations of their
// own, told by a name in the query. Those in table below are here, the others not.
var resources = []string{
	"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
	"lifecycle", "location", "logging", "metrics", "notification", "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus",
	"publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId",
	"uploads", "versioning", "versions", "website",
}

// table names the operations by level, method and resource.
func table() map[string]operation {
	return map[string]operation{
		"GET ":                      {"ListBuckets", (*Store).listBuckets},
		"PUT bucket":                {"CreateBucket", (*Store).createBucket},
		"HEAD bucket":               {"HeadBucket", (*Store).headBucket},
		"DELETE bucket":             {"DeleteBucket", (*Store).deleteBucket},
		"GET bucket":                {"ListObjects", (*Store).listObjects},
		"GET bucket list":           {"ListObjectsV2", (*Store).listObjects},
		"GET bucket versions":       {"ListObjectVersions", (*Store).listVersions},
		"GET bucket uploads":        {"ListMultipartUploads", (*Store).listUploads},
		"GET bucket versioning":     {"GetBucketVersioning", (*Store).getVersioning},
		"PUT bucket versioning":     {"PutBucketVersioning", (*Store).putVersioning},
		"GET bucket location":       {"GetBucketLocation", (*Store).getLocation},
		"GET bucket lifecycle":      {"GetBucketLifecycleConfiguration", (*Store).getLifecycle},
		"POST bucket delete":        {"DeleteObjects", (*Store).deleteObjects},
		"PUT object":                {"PutObject", (*Store).putObject},
		"PUT object copy":           {"CopyObject", (*Store).copyObject},
		"GET object":                {"GetObject", (*Store).getObject},
		"HEAD object":               {"HeadObject", (*Store).getObject},
		"DELETE object":             {"DeleteObject", (*Store).deleteObject},
		"POST object uploads":       {"CreateMultipartUpload", (*Store).createUpload},
		"PUT object partNumber":     {"UploadPart", (*Store).uploadPart},
		"PUT object partNumberCopy": {"UploadPartCopy", (*Store).copyPart},
		"GET object uploadId":       {"ListParts", (*Store).listParts},
		"POST object uploadId":      {"CompleteMultipartUpload", (*Store).completeUpload},
		"DELETE object uploadId":    {"AbortMultipartUpload", (*Store).abortUpload},
	}
}

// find tells which operation a request asks for; without run it is not here.
func find(r *http.Request) operation {
	bucket, key := split(r)
	q := r.URL.Query()
	name := r.Method + " "
	switch {
	case key != "":
		name += "object"
	case bucket != "":
		name += "bucket"
	}
	what := ""
	for _, res := range resources {
		if q.Has(res) && what != "partNumber" { // that goes with uploadId
			what = res
		}
	}
	copied := r.Header.Get("x-amz-copy-source") != ""
	switch {
	case what != "" && copied:
		what += "Copy"
	case copied:
		what = "copy"
	case what == "partNumber" && r.Method != http.MethodPut:
		what = "part" // one part of an object
	case what == "" && q.Get("list-type") == "2" && r.Method == http.MethodGet && key == "":
		what = "list"
	}
	if what != "" {
		name += " " + what
	}
	if op, ok := table()[name]; ok {
		return op
	}
	return operation{name: name}
}

// Operation names a request as S3's API does.
func Operation(r *http.Request) string { return find(r).name }

// Serve answers a request of call's account and region.
func (s *Store) Serve(w http.ResponseWriter, r *http.Request, call wire.Call) {
	w.Header().Set("x-amz-request-id", call.ID)
	req := &request{Request: r, w: w, call: call, query: r.URL.Query()}
	req.bucket, req.key = split(r)
	err := error(elsewhere)
	if op := find(r); op.run != nil {
		err = op.run(s, req)
	}
	if err == nil {
		return
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{400, "IncompleteBody", err.Error(), nil}
	}
	Refuse(w, r, call.ID, e)
}

// Refuse answers an error as S3 does.
func Refuse(w http.ResponseWriter, r *http.Request, id string, e *Error) {
	for k, v := range e.header {
		w.Header().Set(k, v)
	}
	req := &request{Request: r, w: w}
	req.write(e.Status, "Error", struct {
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}{Code: e.Code, Message: e.Message, RequestID: id})
}

// write answers a document with a root of that name.
func (r *request) write(status int, root string, content any) {
	start := xml.StartElement{Name: xml.Name{Local: root}}
	if root != "Error" {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}
	}
	var b strings.Builder
	b.WriteString(xml.Header)
	_ = xml.NewEncoder(&b).EncodeElement(content, start) // structs of texts always encode
	r.w.Header().Set("Content-Type", "application/xml")
	r.w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write([]byte(b.String()))
	}
}

var matchAccount = regexp.MustCompile(`^\d{12}$`)

// mine finds the request's bucket. The caller holds s.mu.
func (s *Store) mine(r *request) (*bucket, error) {
	b, e := s.find(r.call.Account, r.call.Region, r.bucket)
	if e != nil {
		return nil, e
	}
	// docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
	if owner := r.Header.Get("x-amz-expected-bucket-owner"); owner != "" && !matchAccount.MatchString(owner) {
		// recorded in test_get_bucket_policy_invalid_account_id
		return nil, &Error{400, "InvalidBucketOwnerAWSAccountID", "The value of the expected bucket owner parameter must be an AWS Account ID... [" + owner + "]", nil}
	} else if owner != "" && owner != b.Account {
		return nil, denied
	}
	return b, nil
}
