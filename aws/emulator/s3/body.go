package s3

import (
	"bufio"
	"bytes"
	"crypto/md5"  //nolint:gosec // S3's ETag is one
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// read returns the body and what follows it, out of its chunks where the client
// signs by chunk (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html),
// after checking the sums that came with it.
func read(r *http.Request) ([]byte, checksum, error) {
	data, trailer, err := unchunk(r)
	if err != nil {
		return nil, checksum{}, err
	}
	if len(data) > mostObject {
		return nil, checksum{}, &Error{400, "EntityTooLarge", fmt.Sprintf("Your proposed upload exceeds the maximum allowed size: this account takes %d bytes", mostObject), nil}
	}
	if want, err := strconv.Atoi(r.Header.Get("x-amz-decoded-content-length")); err == nil && want != len(data) {
		return nil, checksum{}, &Error{400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.", nil}
	}
	if want := r.Header.Get("x-amz-content-sha256"); len(want) == 64 {
		if got := sha256.Sum256(data); want != hex.EncodeToString(got[:]) {
			return nil, checksum{}, &Error{400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", nil}
		}
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		sum, err := base64.StdEncoding.DecodeString(want)
		if err != nil || len(sum) != md5.Size {
			return nil, checksum{}, &Error{400, "InvalidDigest", "The Content-MD5 you specified was invalid.", nil}
		}
		if got := md5.Sum(data); !bytes.Equal(sum, got[:]) { //nolint:gosec // S3's
			return nil, checksum{}, &Error{400, "BadDigest", "The Content-MD5 you specified did not match what we received.", nil}
		}
	}
	sum, err := asked(data, r.Header, trailer)
	return data, sum, err
}

// unchunk reads one byte more than is allowed.
func unchunk(r *http.Request) ([]byte, http.Header, error) {
	body := io.LimitReader(r.Body, mostObject+mostObject/16)
	var out bytes.Buffer
	if n := r.ContentLength; n > 0 && n <= mostObject {
		out.Grow(int(n) + bytes.MinRead)
	}
	if !strings.HasPrefix(r.Header.Get("x-amz-content-sha256"), "STREAMING-") {
		_, err := out.ReadFrom(io.LimitReader(body, mostObject+1))
		return out.Bytes(), nil, err
	}
	in := bufio.NewReader(body)
	for out.Len() <= mostObject {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, nil, fmt.Errorf("read chunk: %w", err)
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n < 0 {
			return nil, nil, fmt.Errorf("read chunk: %q is no size", size)
		}
		if n == 0 {
			return out.Bytes(), trailers(in), nil
		}
		if _, err := io.CopyN(&out, in, n); err != nil {
			return nil, nil, fmt.Errorf("read chunk: %w", err)
		}
		if _, err := in.Discard(2); err != nil {
			return nil, nil, fmt.Errorf("read chunk: %w", err)
		}
	}
	return out.Bytes(), nil, nil
}

// trailers are the lines after the last chunk.
func trailers(in *bufio.Reader) http.Header {
	out := http.Header{}
	for {
		line, err := in.ReadString('\n')
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok {
			out.Set(name, strings.TrimSpace(value))
		}
		if err != nil || !ok {
			return out
		}
	}
}

// checksum is what S3 keeps to check an object by
// (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
type checksum struct {
	Algorithm, Value string
	Type             string // fullObject or composite
	brought          bool   // by the client, which need not
}

const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
	// usual is the sum S3 makes when the client brings none (same page).
	usual = "CRC64NVME"
)

// sum is one of the algorithms of that page; nil for another.
func sum(algorithm string, data []byte) []byte {
	switch algorithm {
	case "CRC32":
		return word(uint64(crc32.ChecksumIEEE(data)), 4)
	case "CRC32C":
		return word(uint64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))), 4)
	case usual:
		// The polynomial of the NVM Express NVM Command Set Specification, reversed.
		return word(crc64.Checksum(data, crc64.MakeTable(0x9a6c9329ac4bc9b5)), 8)
	case "SHA1":
		s := sha1.Sum(data) //nolint:gosec // S3's
		return s[:]
	case "SHA256":
		s := sha256.Sum256(data)
		return s[:]
	}
	return nil
}

// word is the last size bytes of v, the highest first.
func word(v uint64, size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[size-1-i] = byte(v >> (8 * i))
	}
	return out
}

var algorithms = []string{"CRC32", "CRC32C", usual, "SHA1", "SHA256"}

func sumHeader(algorithm string) string { return "x-amz-checksum-" + strings.ToLower(algorithm) }

// asked checks the sum that came with data and returns it, or that of the
// algorithm that was named, or the usual one.
func asked(data []byte, headers ...http.Header) (checksum, error) {
	chosen := usual
	for _, h := range headers {
		for _, a := range algorithms {
			if a == strings.ToUpper(h.Get("x-amz-sdk-checksum-algorithm")) {
				chosen = a
			}
		}
	}
	given := 0
	for _, h := range headers {
		for _, a := range algorithms {
			if h.Get(sumHeader(a)) != "" {
				given++
			}
		}
	}
	if given > 1 { // recorded in test_s3_checksum_no_algorithm
		return checksum{}, &Error{400, "InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.", nil}
	}
	for _, h := range headers {
		for _, a := range algorithms {
			want := h.Get(sumHeader(a))
			if want == "" {
				continue
			}
			got := sum(a, data)
			// Both recorded in test_put_object_checksum.
			if text, err := base64.StdEncoding.DecodeString(want); err != nil || len(text) != len(got) {
				return checksum{}, &Error{400, "InvalidRequest", "Value for " + sumHeader(a) + " header is invalid.", nil}
			}
			if want != base64.StdEncoding.EncodeToString(got) {
				return checksum{}, &Error{400, "BadDigest", "The " + a + " you specified did not match the calculated checksum.", nil}
			}
			return checksum{a, want, fullObject, true}, nil
		}
	}
	return checksum{chosen, base64.StdEncoding.EncodeToString(sum(chosen, data)), fullObject, false}, nil
}
