package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/emulator/wire"
)

// client talks to a store in one region of one account.
type client struct {
	*testing.T
	store *Store
	call  wire.Call
}

func open(t *testing.T) client {
	c := client{t, New(), wire.Call{Account: "123456789012", Region: "us-east-1", Now: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}}
	c.do("PUT", "/box", nil)
	return c
}

// do makes a request that must succeed; header holds name, value pairs. It
// returns the answer's headers, and its body in into.
func (c client) do(method, path string, body []byte, header ...string) (http.Header, []byte) {
	c.Helper()
	res := c.try(method, path, body, header...)
	if res.Code >= 300 {
		c.Fatalf("%s %s: %d %s", method, path, res.Code, res.Body)
	}
	return res.Header(), res.Body.Bytes()
}

func (c client) try(method, path string, body []byte, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res := httptest.NewRecorder()
	c.store.Serve(res, req, c.call)
	return res
}

func (c client) refused(code string, res *httptest.ResponseRecorder) {
	c.Helper()
	if !strings.Contains(res.Body.String(), "<Code>"+code+"</Code>") {
		c.Errorf("%d %s, want %s", res.Code, res.Body, code)
	}
}

// A listing by pages gives each key and common prefix once, whatever the page size.
func TestListByPages(t *testing.T) {
	c := open(t)
	for _, key := range []string{"a", "dir/1", "dir/2", "dir/sub/3", "e%20f", "z/"} {
		c.do("PUT", "/box/"+url.PathEscape(strings.ReplaceAll(key, "%20", " ")), []byte(key))
	}
	for _, test := range []struct {
		query string
		want  []string
	}{
		{"", []string{"a", "dir/1", "dir/2", "dir/sub/3", "e f", "z/"}},
		{"delimiter=/", []string{"a", "dir/", "e f", "z/"}},
		{"delimiter=/&prefix=dir/", []string{"dir/1", "dir/2", "dir/sub/"}},
		{"prefix=none", nil},
		{"start-after=dir/2", []string{"dir/sub/3", "e f", "z/"}},
	} {
		for size := 1; size <= 7; size++ {
			if got := c.list(fmt.Sprintf("%s&max-keys=%d", test.query, size)); !cmp.Equal(got, test.want) {
				t.Errorf("%s by %d: %q, want %q", test.query, size, got, test.want)
			}
		}
	}
	if _, body := c.do("GET", "/box?list-type=2&encoding-type=url&prefix=e", nil); !strings.Contains(string(body), "<Key>e+f</Key>") {
		t.Error(string(body))
	}
	c.refused("InvalidArgument", c.try("GET", "/box?list-type=2&continuation-token=%25", nil))
}

// list is what all pages hold, keys and prefixes in one order.
func (c client) list(query string) []string {
	c.Helper()
	var out []string
	token := ""
	for {
		path := "/box?list-type=2&" + query
		if token != "" {
			path += "&continuation-token=" + token
		}
		_, body := c.do("GET", path, nil)
		var page struct {
			Contents              []struct{ Key string }
			CommonPrefixes        []struct{ Prefix string }
			KeyCount              int
			IsTruncated           bool
			NextContinuationToken string
		}
		if err := xml.Unmarshal(body, &page); err != nil {
			c.Fatal(err)
		}
		if page.KeyCount != len(page.Contents)+len(page.CommonPrefixes) || page.IsTruncated != (page.NextContinuationToken != "") {
			c.Errorf("a page that contradicts itself: %s", body)
		}
		i, j := 0, 0
		for i < len(page.Contents) || j < len(page.CommonPrefixes) {
			if j == len(page.CommonPrefixes) || i < len(page.Contents) && page.Contents[i].Key < page.CommonPrefixes[j].Prefix {
				out = append(out, page.Contents[i].Key)
				i++
			} else {
				out = append(out, page.CommonPrefixes[j].Prefix)
				j++
			}
		}
		if token = page.NextContinuationToken; token == "" {
			return out
		}
	}
}

// Deleting hides a versioned object behind a marker; its versions stay readable.
func TestVersions(t *testing.T) {
	c := open(t)
	enable := func(status string) {
		c.do("PUT", "/box?versioning", []byte("<VersioningConfiguration><Status>"+status+"</Status></VersioningConfiguration>"))
	}
	if h, _ := c.do("PUT", "/box/k", []byte("null")); h.Get("x-amz-version-id") != "" {
		t.Error("a version without versioning")
	}
	enable("Enabled")
	one, _ := c.do("PUT", "/box/k", []byte("one"))
	two, _ := c.do("PUT", "/box/k", []byte("two"))
	gone, _ := c.do("DELETE", "/box/k", nil)
	if gone.Get("x-amz-delete-marker") != "true" {
		t.Errorf("no marker: %v", gone)
	}
	c.refused("NoSuchKey", c.try("GET", "/box/k", nil))
	marker := gone.Get("x-amz-version-id")
	c.refused("MethodNotAllowed", c.try("GET", "/box/k?versionId="+marker, nil))
	c.refused("NoSuchVersion", c.try("GET", "/box/k?versionId="+newVersion(), nil))
	c.refused("InvalidArgument", c.try("GET", "/box/k?versionId=x", nil))
	c.refused("InvalidArgument", c.try("GET", "/box?versions&version-id-marker="+marker, nil))
	c.refused("IllegalVersioningConfigurationException", c.try("PUT", "/box?versioning", []byte("<VersioningConfiguration/>")))
	for id, want := range map[string]string{"null": "null", one.Get("x-amz-version-id"): "one", two.Get("x-amz-version-id"): "two"} {
		data, err := c.store.Read("123456789012", "us-east-1", "box", "k", id)
		if _, body := c.do("GET", "/box/k?versionId="+id, nil); string(body) != want || err != nil || string(data) != want {
			t.Errorf("version %s: %s, for Lambda %s %v, want %s", id, body, data, err, want)
		}
	}
	c.do("DELETE", "/box/k?versionId="+marker, nil) // the marker's end brings the object back
	if _, body := c.do("GET", "/box/k", nil); string(body) != "two" {
		t.Errorf("%s came back", body)
	}
	enable("Suspended")
	c.do("PUT", "/box/k", []byte("other")) // in place of the null version
	c.do("PUT", "/box/dir/k", []byte("x"))
	for size := 1; size < 6; size++ {
		got := c.versions(size)
		want := []string{"dir/k null", "k null", "k " + two.Get("x-amz-version-id"), "k " + one.Get("x-amz-version-id")}
		if !cmp.Equal(got, want) {
			t.Errorf("by %d: %q, want %q", size, got, want)
		}
	}
	if _, body := c.do("GET", "/box?versions&delimiter=/", nil); !strings.Contains(string(body), "<CommonPrefixes><Prefix>dir/</Prefix>") {
		t.Error(string(body))
	}
	c.refused("BucketNotEmpty", c.try("DELETE", "/box", nil))

	// All of it is part of the state, and can be deleted at once.
	dir := t.TempDir()
	if err := c.store.Save(dir); err != nil {
		t.Fatal(err)
	}
	again := client{t, New(), c.call}
	if err := again.store.Load(dir); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, v := range again.versions(1000) {
		key, id, _ := strings.Cut(v, " ")
		fmt.Fprintf(&all, "<Object><Key>%s</Key><VersionId>%s</VersionId></Object>", key, id)
	}
	again.do("POST", "/box?delete", []byte("<Delete>"+all.String()+"</Delete>"))
	again.do("DELETE", "/box", nil)
}

// versions lists key and version of every page, in order.
func (c client) versions(size int) []string {
	c.Helper()
	var out []string
	marker := ""
	for {
		_, body := c.do("GET", fmt.Sprintf("/box?versions&max-keys=%d%s", size, marker), nil)
		var page struct {
			Version []struct {
				Key       string
				VersionID string `xml:"VersionId"`
			}
			IsTruncated         bool
			NextKeyMarker       string
			NextVersionIDMarker string `xml:"NextVersionIdMarker"`
		}
		if err := xml.Unmarshal(body, &page); err != nil {
			c.Fatal(err)
		}
		for _, v := range page.Version {
			out = append(out, v.Key+" "+v.VersionID)
		}
		if !page.IsTruncated {
			return out
		}
		marker = "&key-marker=" + url.QueryEscape(page.NextKeyMarker) + "&version-id-marker=" + page.NextVersionIDMarker
	}
}

func TestMultipart(t *testing.T) {
	c := open(t)
	start := func(header ...string) string {
		_, body := c.do("POST", "/box/k?uploads", nil, header...)
		var made struct {
			UploadID string `xml:"UploadId"`
		}
		if err := xml.Unmarshal(body, &made); err != nil || made.UploadID == "" {
			t.Fatal(err, string(body))
		}
		return "/box/k?uploadId=" + made.UploadID
	}
	first, last := bytes.Repeat([]byte("a"), leastPart), []byte("the end")
	whole := append(bytes.Clone(first), last...)
	up := start("x-amz-checksum-algorithm", "SHA256")
	part := func(up string, number int, body []byte) string {
		h, _ := c.do("PUT", fmt.Sprintf("%s&partNumber=%d", up, number), body)
		return fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><ChecksumSHA256>%s</ChecksumSHA256></Part>", number, h.Get("ETag"), h.Get("x-amz-checksum-sha256"))
	}
	small := part(up, 1, []byte("small"))
	end := part(up, 7, last)
	complete := func(parts string) *httptest.ResponseRecorder {
		return c.try("POST", up, []byte("<CompleteMultipartUpload>"+parts+"</CompleteMultipartUpload>"))
	}
	c.refused("EntityTooSmall", complete(small+end))
	large := part(up, 1, first)
	c.refused("InvalidPart", complete(small+end)) // it was sent again, with another tag
	c.refused("InvalidPartOrder", complete(end+large))
	if res := complete(""); !strings.Contains(res.Body.String(), "You must specify at least one part") {
		t.Error(res.Body)
	}
	if res := complete(strings.ReplaceAll(large+end, "ChecksumSHA256", "Forgotten")); !strings.Contains(res.Body.String(), "created using a sha256 checksum. The complete request must include the checksum for each part. It was missing for part 1 ") {
		t.Error(res.Body)
	}
	if res := complete(strings.ReplaceAll(large+end, "<ChecksumSHA256>", "<ChecksumSHA256>A")); !strings.Contains(res.Body.String(), "The sha256 you specified for part 1 did not match what we received.") {
		t.Error(res.Body)
	}
	if res := c.try("PUT", up+"&partNumber=2", []byte("x"), "x-amz-checksum-crc32", base64.StdEncoding.EncodeToString(sum("CRC32", []byte("x")))); !strings.Contains(res.Body.String(), "expected checksum Type: sha256, actual checksum Type: crc32") {
		t.Error(res.Body)
	}
	for header, want := range map[string]string{
		"x-amz-checksum-type COMPOSITE": "can only be used with the x-amz-checksum-algorithm header",
		"x-amz-checksum-algorithm MD4":  "Checksum algorithm provided is unsupported.",
	} {
		name, value, _ := strings.Cut(header, " ")
		if res := c.try("POST", "/box/k?uploads", nil, name, value); !strings.Contains(res.Body.String(), want) {
			t.Errorf("%s: %s", header, res.Body)
		}
	}
	c.refused("InvalidArgument", c.try("PUT", up+"&partNumber=0", nil))
	c.refused("NoSuchKey", c.try("GET", "/box/k", nil))
	if _, body := c.do("GET", up+"&max-parts=1", nil); !strings.Contains(string(body), "<NextPartNumberMarker>1<") || !strings.Contains(string(body), "<IsTruncated>true<") {
		t.Error(string(body))
	}
	if res := complete(large + end); res.Code != 200 || !strings.Contains(res.Body.String(), "<ChecksumType>COMPOSITE<") {
		t.Fatal(res.Code, res.Body)
	}
	c.refused("NoSuchUpload", complete(large+end))
	h, got := c.do("GET", "/box/k", nil, "x-amz-checksum-mode", "ENABLED")
	sums := append(sum("SHA256", first), sum("SHA256", last)...)
	if want := base64.StdEncoding.EncodeToString(sum("SHA256", sums)) + "-2"; !bytes.Equal(got, whole) || h.Get("x-amz-checksum-sha256") != want || !strings.HasSuffix(h.Get("ETag"), `-2"`) {
		t.Errorf("%d bytes, %v", len(got), h)
	}

	// Parts may be copied; an upload may be given up.
	up = start()
	h, _ = c.do("GET", "/box/k", nil)
	res := c.try("PUT", up+"&partNumber=1", nil, "x-amz-copy-source", "/box/k", "x-amz-copy-source-range", fmt.Sprintf("bytes=%d-%d", len(first), len(whole)-1))
	if !strings.Contains(res.Body.String(), "CopyPartResult") {
		t.Fatal(res.Body)
	}
	if _, body := c.do("GET", "/box?uploads", nil); !strings.Contains(string(body), "<Key>k</Key>") {
		t.Error(string(body))
	}
	c.do("DELETE", up, nil)
	c.refused("NoSuchUpload", c.try("GET", up, nil))
	if now, _ := c.do("HEAD", "/box/k", nil); now.Get("ETag") != h.Get("ETag") {
		t.Error("an upload that was given up changed the object")
	}
}

// The check values are those of the CRC catalogue (CRC-32, CRC-32C, CRC-64/NVME),
// which S3's documentation links to by their polynomials.
func TestSums(t *testing.T) {
	for algorithm, want := range map[string]string{"CRC32": "cbf43926", "CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"} {
		if got := fmt.Sprintf("%x", sum(algorithm, []byte("123456789"))); got != want {
			t.Errorf("%s: %s, want %s", algorithm, got, want)
		}
	}
}

func TestCopy(t *testing.T) {
	c := open(t)
	c.do("PUT", "/box/a%20b", []byte("x"), "x-amz-meta-who", "me", "Content-Encoding", "aws-chunked")
	c.refused("InvalidRequest", c.try("PUT", "/box/a%20b", nil, "x-amz-copy-source", "box/a%20b"))
	c.refused("NoSuchKey", c.try("PUT", "/box/c", nil, "x-amz-copy-source", "box/none"))
	c.do("PUT", "/box/c", nil, "x-amz-copy-source", "box/a%20b")
	if h, body := c.do("GET", "/box/c", nil); string(body) != "x" || h.Get("x-amz-meta-who") != "me" || h.Get("Content-Encoding") != "" {
		t.Errorf("%s %v", body, h)
	}
}
