package archive

import (
	"bytes"
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDownload(t *testing.T) {
	data := noise(3 << 20)
	whole := func(s *s3, w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Range")
		http.ServeContent(w, r, "", modTime, bytes.NewReader(s.data))
	}
	for name, c := range map[string]struct {
		fault    func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool
		requests int
	}{
		"plain": {requests: 1},
		"broken twice": {requests: 3, fault: func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool {
			if n > 2 {
				return false
			}
			cut(s.data, w, r)
			return true
		}},
		"500 first": {requests: 2, fault: func(_ *s3, n int, w http.ResponseWriter, _ *http.Request) bool {
			if n > 1 {
				return false
			}
			http.Error(w, "no", 500)
			return true
		}},
		"expires after a break": {requests: 3, fault: func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				return false
			}
			s.expire()
			cut(s.data, w, r)
			return true
		}},
		"starts over where Range is ignored": {requests: 2, fault: func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				cut(s.data, w, r)
			}
			whole(s, w, r)
			return true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, data)
			if c.fault != nil {
				s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return c.fault(s, n, w, r) }
			}
			dir := t.TempDir()
			file := filepath.Join(dir, "code.zip")
			var last, total int64
			err := download(t.Context(), s.remote(t), file, func(d, n int64) { last, total = d, n })
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, data) {
				t.Error("other bytes", err)
			}
			if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
				t.Error(info.Mode())
			}
			if last != int64(len(data)) || total != last {
				t.Error("progress ended at", last, "of", total)
			}
			if n := len(s.asked()); n != c.requests {
				t.Errorf("%d requests: %q", n, s.asked())
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Error("left behind:", left)
			}
		})
	}
}

func TestDownloadRefuses(t *testing.T) {
	data := noise(1 << 20)
	for name, c := range map[string]struct {
		locate func(Location) Location
		fault  func(s *s3, n int, w http.ResponseWriter, r *http.Request) bool
		cancel bool
		want   string
	}{
		"another SHA-256": {
			locate: func(l Location) Location {
				l.SHA256 = base64.StdEncoding.EncodeToString(make([]byte, 32))
				return l
			},
			want: "SHA-256",
		},
		"no SHA-256": {locate: func(l Location) Location { l.SHA256 = ""; return l }, want: "no SHA-256 is known"},
		"more than it says": {fault: func(_ *s3, _ int, w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write(noise(2 << 20)) // without a length
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(noise(1))
			return true
		}, want: "more than"},
		"breaks for ever": {fault: func(_ *s3, _ int, _ http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) }, want: "EOF"},
		"cancelled":       {cancel: true, want: "canceled"},
		"gone":            {fault: func(_ *s3, _ int, w http.ResponseWriter, _ *http.Request) bool { http.Error(w, "no", 404); return true }, want: "404"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, data)
			if c.fault != nil {
				s.fault = func(n int, w http.ResponseWriter, r *http.Request) bool { return c.fault(s, n, w, r) }
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := newRemote(ctx, s.Client(), "code", func(ctx context.Context) (Location, error) {
				loc, err := s.locate(ctx)
				if c.locate != nil {
					loc = c.locate(loc)
				}
				return loc, err
			})
			r.backoff = s.remote(t).backoff
			dir := t.TempDir()
			progress := func(int64, int64) {
				if c.cancel {
					cancel()
				}
			}
			err := download(ctx, r, filepath.Join(dir, "code.zip"), progress)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			noSecret(t, err)
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Error("left behind:", left)
			}
		})
	}
}
