package bucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// ErrNone is an object that is not in its bucket. Where the caller may not list
// the bucket, S3 answers that access is denied instead
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
var ErrNone = errors.New("there is no such object")

// Client is S3 in one region. It is safe for concurrent use.
type Client struct {
	cfg        aws.Config
	region     string
	instrument func(*middleware.Stack) error
}

// New returns a client that asks nobody yet. Instrument is applied to each call's
// middleware, whose id is the operation's name.
func New(cfg aws.Config, region string, instrument func(*middleware.Stack) error) *Client {
	return &Client{cfg, region, instrument}
}

// Object is what S3 keeps beside an object's bytes.
type Object struct {
	Size   int64  // bytes
	SHA256 string // base64, as S3 has verified it; "" where it was put without
}

// Region says where a bucket is; "" where the answer does not tell.
func (c *Client) Region(ctx context.Context, bucket string) (string, error) {
	resp, err := c.do(ctx, "HeadBucket", &call{method: http.MethodHead, Bucket: &bucket})
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	return resp.Header.Get("x-amz-bucket-region"), nil
}

// Stat describes an object, or fails with ErrNone.
func (c *Client) Stat(ctx context.Context, bucket, key string) (Object, error) {
	header := http.Header{"X-Amz-Checksum-Mode": {"ENABLED"}}
	resp, err := c.do(ctx, "HeadObject", &call{method: http.MethodHead, Bucket: &bucket, key: key, header: header})
	if err != nil {
		return Object{}, none(err)
	}
	resp.Body.Close()
	return Object{resp.ContentLength, resp.Header.Get("x-amz-checksum-sha256")}, nil
}

// Get reads an object, which the caller closes. It fails with ErrNone.
func (c *Client) Get(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	resp, err := c.do(ctx, "GetObject", &call{method: http.MethodGet, Bucket: &bucket, key: key})
	if err != nil {
		return nil, none(err)
	}
	return resp.Body, nil
}

// Put writes an object of size bytes in one part: S3 takes 5 GB so
// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html). The body
// is rewound and read again with each try. Sum is its SHA-256 in base64; S3
// refuses bytes that do not have it.
func (c *Client) Put(ctx context.Context, bucket, key string, body io.ReadSeeker, size int64, sum string) error {
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil {
		return fmt.Errorf("the checksum %q: %w", sum, err)
	}
	resp, err := c.do(ctx, "PutObject", &call{
		method: http.MethodPut, Bucket: &bucket, key: key, body: body, size: size, hash: hex.EncodeToString(raw),
		header: http.Header{"Content-Type": {"application/zip"}, "Content-Length": {strconv.FormatInt(size, 10)}, "X-Amz-Checksum-Sha256": {sum}},
	})
	if err != nil {
		return err
	}
	resp.Body.Close()
	return nil
}

// none turns S3's words for an absent object into ErrNone: a HEAD's answer has no
// body, so its code is that of its status.
func none(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) && (api.ErrorCode() == "NoSuchKey" || api.ErrorCode() == "NotFound") {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	return err
}
