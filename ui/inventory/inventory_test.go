package inventory

import (
	"testing"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/filter"
)

func listed(name, region string) account.Event {
	return account.Event{Listed: &account.Function{ARN: "arn:" + region + ":" + name, Name: name, Region: region, PackageType: "Zip"}}
}

func done(region string, n int) account.Event {
	return account.Event{Listing: &account.Listing{Region: region, Found: n, Done: true}}
}

func apply(v *Inventory, events ...account.Event) {
	for _, e := range events {
		v.Apply(e)
	}
}

func TestProgress(t *testing.T) {
	var v Inventory
	v.Start()
	if _, _, l := v.Progress(); l {
		t.Fatal("listed before anything came")
	}
	apply(&v, listed("a", "x"), listed("b", "x"))
	if m, f, l := v.Progress(); m != 0 || f != 2 || l {
		t.Fatalf("%d of %d, listed %v", m, f, l)
	}
	apply(&v, done("x", 2))
	fn := v.Rows()[0].Function
	v.Apply(account.Event{Facts: &account.Facts{Function: fn}})
	if m, _, l := v.Progress(); m != 0 || !l {
		t.Fatalf("incomplete facts count as measured: %d, listed %v", m, l)
	}
	v.Apply(account.Event{Facts: &account.Facts{Function: fn, Complete: true}})
	v.Apply(account.Event{Facts: &account.Facts{Function: fn, Complete: true}})
	if m, _, _ := v.Progress(); m != 1 {
		t.Fatalf("measured %d", m)
	}
}

func TestASecondAuditForgetsWhatIsGone(t *testing.T) {
	var v Inventory
	v.Start()
	apply(&v, listed("a", "x"), listed("b", "x"), listed("c", "y"), done("x", 2), done("y", 1))
	v.Finish()
	v.Start()
	apply(&v, listed("a", "x"), done("x", 1), account.Event{Region: &account.RegionError{Region: "y", Message: "no answer"}})
	if len(v.Rows()) != 3 {
		t.Fatal("rows went away while the audit ran")
	}
	v.Finish()
	if len(v.Rows()) != 2 {
		t.Fatalf("%d rows are left", len(v.Rows()))
	}
	if _, ok := v.Get("arn:x:b"); ok {
		t.Fatal("b is gone, but still known")
	}
	if _, ok := v.Get("arn:y:c"); !ok {
		t.Fatal("c's region could not be listed, so c may still be there")
	}
}

func TestNamed(t *testing.T) {
	var v Inventory
	v.Start()
	apply(&v, listed("a", "x"), listed("a", "y"), listed("b", "x"))
	if _, ok := v.Named("a"); ok {
		t.Fatal("a is the name of two functions")
	}
	if r, ok := v.Named("b"); !ok || r.ARN != "arn:x:b" {
		t.Fatal("b was not found")
	}
	if r, ok := v.Named("arn:y:a"); !ok || r.Region != "y" {
		t.Fatal("an ARN was not found")
	}
}

func TestUnknownIsNotZero(t *testing.T) {
	r := &Row{Function: account.Function{PackageType: "Zip"}}
	if _, known := r.Unzipped(); known {
		t.Fatal("a size is known before it was measured")
	}
	r.Facts = &account.Facts{Complete: true, Code: account.Archive{State: account.OK, Unzipped: 5},
		LayerFacts: []*account.LayerVersion{{ARN: "arn:aws:lambda:r:1:layer:n:3", Archive: account.Archive{State: account.Denied, Message: "ask"}}}}
	if _, has := r.FilterNumber("size"); has != filter.Unknown {
		t.Fatal("a size is known with a layer that can't be read")
	}
	if r.Unreadable() != account.Denied || r.Why() != "layer n:3 denied: ask" {
		t.Fatalf("%s, %s", r.Unreadable(), r.Why())
	}
}

func TestLayers(t *testing.T) {
	var v Inventory
	v.Start()
	l := account.LayerRef{ARN: "arn:aws:lambda:r:1:layer:n:3", Size: 9}
	for _, name := range []string{"b", "a"} {
		v.Apply(account.Event{Listed: &account.Function{ARN: name, Name: name, Layers: []account.LayerRef{l}}})
	}
	got := v.Layers()
	if len(got) != 1 || len(got[0].Functions) != 2 || got[0].Functions[0].Name != "a" || got[0].State() != account.Unknown {
		t.Fatalf("%+v", got)
	}
	if ShortLayer(l.ARN) != "n:3" || ShortLayer("x.zip") != "x.zip" || LayerAccount(l.ARN) != "1" {
		t.Fatal("names")
	}
}

// What an earlier run was answered counts until it is told anew.
func TestKnownBefore(t *testing.T) {
	var v Inventory
	v.Start()
	then := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	f := account.Function{ARN: "arn:a:x", Name: "x", Region: "a"}
	for _, c := range []struct {
		facts account.Facts
		want  int
	}{
		{account.Facts{Function: f, Asked: then}, 1},
		{account.Facts{Function: f, LayerFacts: []*account.LayerVersion{{Asked: then}}}, 1},
		{account.Facts{Function: f, LayerFacts: []*account.LayerVersion{{}}}, 0},
	} {
		v.Put(&c.facts)
		if got := v.KnownBefore(); got != c.want {
			t.Errorf("%+v: %d", c.facts, got)
		}
	}
}
