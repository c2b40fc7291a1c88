package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/emulator"
)

// large is the account that the figures are about.
const large = 10000

// BenchmarkStart is how long a seeded account takes to answer, and what it holds.
func BenchmarkStart(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		s, err := emulator.Start(b.Context(), emulator.Options{Functions: large})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/1e6, "MB-held")
}

// BenchmarkList reads all pages of ListFunctions: by the SDK, as the program
// does, and by a client that only follows the markers, which shows what the
// account itself can do.
func BenchmarkList(b *testing.B) {
	s, err := emulator.Start(b.Context(), emulator.Options{Functions: large})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	b.Run("sdk", func(b *testing.B) {
		c := client(s, "eu-central-1", "AKIATEST")
		for b.Loop() {
			seen := 0
			for pages := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{}); pages.HasMorePages(); {
				page, err := pages.NextPage(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				seen += len(page.Functions)
			}
			if seen != large {
				b.Fatalf("%d functions", seen)
			}
		}
		b.ReportMetric(large*float64(b.N)/b.Elapsed().Seconds(), "functions/s")
	})
	b.Run("http", func(b *testing.B) {
		for b.Loop() {
			marker, size := "", 0
			for {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL()+"/2015-03-31/functions/?Marker="+url.QueryEscape(marker), nil)
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/eu-central-1/lambda/aws4_request")
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK {
					b.Fatal(res.Status, err)
				}
				size += len(body)
				tail := struct{ NextMarker string }{}
				if err := json.Unmarshal(body, &tail); err != nil {
					b.Fatal(err)
				}
				if marker = tail.NextMarker; marker == "" {
					break
				}
			}
			b.SetBytes(int64(size))
		}
		b.ReportMetric(large*float64(b.N)/b.Elapsed().Seconds(), "functions/s")
	})
}
