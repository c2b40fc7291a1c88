package emulator_test

import (
	"archive/zip"
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// bucket makes a request of S3's, with further headers as name, value pairs.
func (a account) bucket(method, path string, body []byte, header ...string) (*http.Response, string) {
	a.Helper()
	req, err := http.NewRequestWithContext(a.Context(), method, a.server.URL()+path, bytes.NewReader(body))
	if err != nil {
		a.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		a.Fatal(err)
	}
	return res, string(text)
}

// here is what CreateBucket needs outside us-east-1.
const here = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"

func TestBuckets(t *testing.T) {
	a := open(t, emulator.Options{})
	chunked := "5;chunk-signature=0\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		text               string
	}{
		{"HEAD", "/code", "", nil, 404, ""},
		{"PUT", "/code/a", "x", nil, 404, "NoSuchBucket"},
		{"PUT", "/No", "", nil, 400, "InvalidBucketName"},
		{"PUT", "/code", "", nil, 400, "unspecified location constraint is incompatible"},
		{"PUT", "/code", here, nil, 200, ""},
		{"PUT", "/code", here, nil, 409, "BucketAlreadyOwnedByYou"},
		{"HEAD", "/code", "", nil, 200, ""},
		{"GET", "/code/deep/key", "", nil, 404, "NoSuchKey"},
		{"PUT", "/code/deep/key", chunked, []string{"x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}, 200, ""},
		{"GET", "/code/deep/key", "", nil, 200, "hello world"},
		{"GET", "/code/deep/key", "", []string{"Range", "bytes=-5"}, 206, "world"},
		{"PUT", "/code/deep/key", "other", []string{"x-amz-content-sha256", strings.Repeat("0", 64)}, 400, "XAmzContentSHA256Mismatch"},
		{"PUT", "/code/deep/key", "other", []string{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}, 400, "BadDigest"},
		{"PUT", "/code/deep/key", "other", []string{"x-amz-checksum-crc32", "AAAAAA=="}, 400, "The CRC32 you specified did not match"},
		{"PUT", "/code/deep/key", "other", []string{"x-amz-checksum-crc32", "short"}, 400, "InvalidRequest"},
		{"PUT", "/code/deep/key", "other", []string{"x-amz-checksum-crc32", "AAAAAA==", "x-amz-checksum-crc32c", "AAAAAA=="}, 400, "Expecting a single x-amz-checksum- header."},
		{"HEAD", "/code", "", []string{"x-amz-expected-bucket-owner", "me"}, 400, ""},
		{"PUT", "/code/deep/key", "other", []string{"If-None-Match", "*"}, 412, "PreconditionFailed"},
		{"PUT", "/code/deep/key", "other", []string{"x-amz-expected-bucket-owner", "999999999999"}, 403, "AccessDenied"},
		{"PUT", "/code/deep/key?uploadId=1&partNumber=1", "", nil, 404, "NoSuchUpload"},
		{"PUT", "/code/deep/key?acl", "", nil, 501, "NotImplemented"},
		{"GET", "/code?policy", "", nil, 501, "NotImplemented"},
		{"GET", "/code?lifecycle", "", nil, 404, "NoSuchLifecycleConfiguration"},
		{"GET", "/code?location", "", nil, 200, ">eu-central-1</LocationConstraint>"},
		{"DELETE", "/code", "", nil, 409, "BucketNotEmpty"},
		{"DELETE", "/code/deep/key", "", nil, 204, ""},
		{"DELETE", "/code", "", nil, 204, ""},
		{"HEAD", "/code", "", nil, 404, ""},
		{"PUT", "/snapshots", here, nil, 200, ""}, // no download, when S3 is asked
	} {
		res, text := a.bucket(c.method, c.path, []byte(c.body), c.header...)
		if res.StatusCode != c.status || !strings.Contains(text, c.text) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, res.StatusCode, text, c.status, c.text)
		}
	}
	foreign := func(key, region string) (int, string) {
		res, text := a.bucket("GET", "/snapshots/a", nil, "Authorization", "AWS4-HMAC-SHA256 Credential="+key+"/20260101/"+region+"/s3/aws4_request")
		return res.StatusCode, text
	}
	if status, text := foreign("999999999999", "eu-central-1"); status != 403 || !strings.Contains(text, "AccessDenied") {
		t.Errorf("another account: %d %s", status, text)
	}
	if status, text := foreign("AKIATEST", "us-east-1"); status != 301 || !strings.Contains(text, "PermanentRedirect") {
		t.Errorf("another region: %d %s", status, text)
	}
}

// Code of more than 50 MB comes by a bucket; it still has to unzip to less than 250 MB.
func TestCodeInBuckets(t *testing.T) {
	dir := t.TempDir()
	a := open(t, emulator.Options{State: dir})
	large := noisy(t, 51<<20)
	a.bucket("PUT", "/code", []byte(here))
	for key, content := range map[string][]byte{"large.zip": large, "no.zip": []byte("no zip"), "heavy.zip": ziptest.Zeros(262144000)} {
		if res, text := a.bucket("PUT", "/code/"+key, content); res.StatusCode != 200 {
			t.Fatal(res.StatusCode, text)
		}
	}
	at := func(bucket, key string) error {
		in := a.input("f")
		in.Code = &types.FunctionCode{S3Bucket: &bucket, S3Key: &key}
		_, err := a.lambda.CreateFunction(t.Context(), in)
		return err
	}
	const value = "InvalidParameterValueException"
	refused(t, at("none", "k"), value, 400, "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist")
	refused(t, at("code", "none"), value, 400, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
	in := a.input("f")
	in.Code = &types.FunctionCode{S3Bucket: aws.String("code"), S3Key: aws.String("large.zip")}
	_, err := client(a.server, "us-east-1", "AKIATEST").CreateFunction(t.Context(), in)
	refused(t, err, value, 400, "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: eu-central-1. Please use this region to retry the request")
	in.Role = aws.String("arn:aws:iam::999999999999:role/r")
	_, err = client(a.server, "eu-central-1", "999999999999").CreateFunction(t.Context(), in)
	refused(t, err, "AccessDeniedException", 403, "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for code/large.zip. S3 Error Code: AccessDenied. S3 Error Message: Access Denied")
	in.Role, in.Code.S3ObjectStorageMode = a.input("f").Role, types.S3ObjectStorageModeReference
	_, err = a.lambda.CreateFunction(t.Context(), in)
	refused(t, err, value, 400, "leave out S3ObjectStorageMode REFERENCE")
	in.Code.S3ObjectStorageMode, in.Code.ZipFile = "", []byte("x")
	_, err = a.lambda.CreateFunction(t.Context(), in)
	refused(t, err, value, 400, "Please do not provide other FunctionCode parameters when providing a ZipFile.")
	in.Code.ZipFile, in.Code.S3Key = nil, nil
	_, err = a.lambda.CreateFunction(t.Context(), in)
	refused(t, err, value, 400, "Please provide both S3Bucket and S3Key.")
	refused(t, at("code", "no.zip"), value, 400, "Could not unzip uploaded file.")
	refused(t, at("code", "heavy.zip"), value, 400, "Unzipped size must be smaller than 262144000 bytes")
	if err := at("code", "large.zip"); err != nil {
		t.Fatal(err)
	}
	a.pass()
	got := a.get("f")
	if got.Configuration.CodeSize != int64(len(large)) || len(large) <= 52428800 {
		t.Errorf("%d of %d bytes", got.Configuration.CodeSize, len(large))
	}
	out := must(a.lambda.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{LayerName: aws.String("l"), Content: &types.LayerVersionContentInput{S3Bucket: aws.String("code"), S3Key: aws.String("large.zip")}}))(t)
	if *out.Content.CodeSha256 != *got.Configuration.CodeSha256 {
		t.Error("the layer has another hash")
	}
	must(a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), S3Bucket: aws.String("code"), S3Key: aws.String("large.zip")}))(t)

	// A version stays what it was, whatever comes after it.
	a.bucket("PUT", "/code?versioning", []byte("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"))
	res, _ := a.bucket("PUT", "/code/large.zip", []byte("no zip"))
	version := func(id string) error {
		a.pass()
		_, err := a.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), S3Bucket: aws.String("code"), S3Key: aws.String("large.zip"), S3ObjectVersion: &id})
		return err
	}
	refused(t, version(res.Header.Get("x-amz-version-id")), value, 400, "Could not unzip uploaded file.")
	refused(t, version(strings.Repeat("A", 26)), value, 400, "Error occurred while GetObject. S3 Error Code: NoSuchVersion. S3 Error Message: The specified version does not exist.")
	if err := version("null"); err != nil {
		t.Error(err)
	}

	// Buckets are part of the state.
	if err := a.server.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, emulator.Options{State: dir})
	if res, text := again.bucket("GET", "/code/no.zip", nil); res.StatusCode != 200 || text != "no zip" {
		t.Error(res.StatusCode, text)
	}
}

// noisy makes an archive of size bytes that no compression makes smaller.
func noisy(t testing.TB, size int) []byte {
	t.Helper()
	noise := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for name, content := range map[string][]byte{"index.js": []byte(script), "noise": noise} {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
