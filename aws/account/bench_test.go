package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

// BenchmarkAudit audits 1,000 functions with 200 layer versions at AWS's rates:
// cold, and with what the run before has kept. x-floor is the time over what those
// rates alone ask for: 15 calls a second of all kinds but GetFunction, 100 of that.
// A cold run lists 20 pages of functions and reads 200 layer versions; a warm one
// lists.
//
//	go test ./aws/account -run '^$' -bench Audit -benchtime 1x
func BenchmarkAudit(whole *testing.B) {
	const functions, versions, perPage, rate = 1000, 200, 50, 15.0
	state := whole.TempDir()
	acct := sessiontest.StartWith(whole, emulator.Options{Delay: time.Millisecond, State: state})
	arns := make([]string, versions)
	for i := range arns {
		arns[i] = acct.Layer(fmt.Sprintf("l%d", i), ziptest.File("nodejs/node_modules/x.js", fmt.Sprint(i)), ziptest.File("extensions/x", "#!/bin/sh\n").Perm(0o755))
	}
	for i := range functions {
		acct.Function(fmt.Sprintf("f%d", i), []ziptest.Entry{ziptest.File("index.js", fmt.Sprint(i))}, layers(arns[i%versions]))
	}
	if err := acct.Close(); err != nil {
		whole.Fatal(err)
	}
	acct = sessiontest.StartWith(whole, emulator.Options{Delay: time.Millisecond, State: state, Rates: true})
	var cache, answers string
	pages := functions / perPage
	for _, c := range []struct {
		name  string
		floor float64 // seconds
	}{
		{"cold", float64(pages+versions) / rate},
		{"warm", float64(pages) / rate},
	} {
		whole.Run(c.name, func(b *testing.B) {
			var took time.Duration
			for range b.N {
				if c.name == "cold" {
					cache, answers = whole.TempDir(), whole.TempDir()
				}
				a := account.NewAuditor(acct.Open(session.Options{}), cache)
				a.Freshness = account.Freshness{Answers: answers, MaxAge: time.Hour}
				acct.ForgetCalls()
				measured, known := 0, 0
				start := time.Now()
				if err := a.Audit(b.Context(), func(e account.Event) {
					if e.Facts != nil {
						measured++
						if e.Facts.Known {
							known++
						}
					}
				}); err != nil {
					b.Fatal(err)
				}
				took += time.Since(start)
				if measured != functions || known != functions {
					b.Fatalf("%d measured, %d known", measured, known)
				}
				throttled := 0
				for _, call := range acct.Calls() {
					if call.Error == "TooManyRequestsException" {
						throttled++
					}
				}
				b.ReportMetric(float64(throttled), "throttled")
			}
			b.ReportMetric(took.Seconds()/float64(b.N)/c.floor, "x-floor")
		})
	}
}
