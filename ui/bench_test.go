package ui

import (
	"context"
	"fmt"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/ui/draw"
	"github.com/optlift/optlift/ui/functions"
)

// filled is the program at 160x48 with n functions, all measured, nothing running.
func filled(b *testing.B, n int) *model {
	fake := newFake(n)
	m := newModel(context.Background(), fake, Options{})
	m.arrive(arrival{fake.Where(), false})
	m.inv.Start()
	for _, f := range fake.functions {
		fn := f.Function
		m.inv.Apply(account.Event{Listed: &fn})
		m.inv.Apply(account.Event{Facts: f})
	}
	m.inv.Apply(account.Event{Listing: &account.Listing{Region: fakeRegion, Found: n, Done: true}})
	m.inv.Finish()
	m.Update(tea.WindowSizeMsg{Width: 160, Height: 48})
	m.broadcast(functions.Changed{})
	if got := m.first().Count(); got != draw.Plural(n, "function") {
		b.Fatalf("%s instead of %d functions", got, n)
	}
	if m.first().Selected() == nil {
		b.Fatal("no function is selected")
	}
	return m
}

// BenchmarkKeyToFrame is one key press with the frame that follows, among 10,000
// functions on a screen of 160x48.
func BenchmarkKeyToFrame(b *testing.B) {
	m := filled(b, 10000)
	down, up := keyOf("down"), keyOf("up")
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		key := down
		if i%200 >= 100 {
			key = up
		}
		m.Update(key)
		if m.View().Content == "" {
			b.Fatal("no frame")
		}
	}
}

// BenchmarkFilter is one letter typed into the filter over 10,000 functions.
func BenchmarkFilter(b *testing.B) {
	for _, text := range []string{"work", "!node size>20MB", "~mwrk", "ext:collector", "/worker-1.*/"} {
		b.Run(text, func(b *testing.B) {
			m := filled(b, 10000)
			b.ResetTimer()
			for b.Loop() {
				if err := m.first().SetFilter(text); err != nil {
					b.Fatal(err)
				}
			}
			if m.first().Selected() == nil {
				b.Fatal("nothing was found")
			}
		})
	}
}

// BenchmarkAuditTick is a tick that brings 500 measured functions into a list of 10,000.
func BenchmarkAuditTick(b *testing.B) {
	m := filled(b, 10000)
	fake := newFake(500)
	b.ResetTimer()
	for b.Loop() {
		for _, f := range fake.functions {
			m.events.Put(account.Event{Facts: f})
		}
		m.drain()
		_ = m.View()
	}
}

// BenchmarkOptKeyToFrame is one key press with the frame that follows, in a /opt of
// 100,000 files with every directory unfolded, on a screen of 160x48.
func BenchmarkOptKeyToFrame(b *testing.B) {
	files := map[string]string{}
	for i := range 100000 {
		files[fmt.Sprintf("python/lib/package%03d/module%02d/file%05d.py", i/1000, i/20%50, i)] = ""
	}
	fake := newFake(6)
	fake.files = map[string]map[string]string{"otel-collector:12": files, "code": {"index.js": ""}}
	r := newRobot(b, fake, 160, 48).settle()
	r.press(":").write("opt orders-api").press("enter").settle().press("E")
	r.see("100,0")
	down, up := keyOf("down"), keyOf("up")
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		key := down
		if i%200 >= 100 {
			key = up
		}
		r.m.Update(key)
		if r.m.View().Content == "" {
			b.Fatal("no frame")
		}
	}
}

// BenchmarkFirstFrame is the program's first frame, from nothing.
func BenchmarkFirstFrame(b *testing.B) {
	fake := newFake(10)
	for b.Loop() {
		m := newModel(context.Background(), fake, Options{})
		m.Update(tea.WindowSizeMsg{Width: 160, Height: 48})
		if m.View().Content == "" {
			b.Fatal(fmt.Errorf("no frame"))
		}
	}
}
