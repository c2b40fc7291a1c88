package job

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestAJobEndsWithOneMessage(t *testing.T) {
	g := NewGroup(context.Background())
	boom := errors.New("boom")
	j, cmd := g.Start("work", true, func(context.Context) (any, error) { return 42, boom })
	d, ok := cmd().(Done)
	if !ok || d.ID != j.ID || d.Value != 42 || d.Err != boom {
		t.Fatalf("%+v", d)
	}
	g.Wait()
	if r, ok := j.Result(); !ok || r != d {
		t.Fatalf("%+v %v", r, ok)
	}
	if g.Active() != 0 || g.Guarded() != nil {
		t.Fatal("it is over, and still counted")
	}
}

func TestWorkRunsWithoutItsCommand(t *testing.T) {
	g := NewGroup(context.Background())
	ran := make(chan struct{})
	g.Start("work", false, func(context.Context) (any, error) { close(ran); return nil, nil })
	<-ran
	g.Wait()
}

func TestCancel(t *testing.T) {
	g := NewGroup(context.Background())
	work := func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }
	a, cmd := g.Start("a", true, work)
	b, _ := g.Start("b", false, work)
	if g.Guarded() != a || g.Active() != 2 {
		t.Fatal("two jobs run, one of them guarded")
	}
	if _, ok := a.Result(); ok {
		t.Fatal("a result before the end")
	}
	a.Cancel()
	if d := cmd().(Done); !errors.Is(d.Err, context.Canceled) || !a.Cancelled() || b.Cancelled() {
		t.Fatalf("%+v", d)
	}
	g.Cancel()
	g.Wait()
}

func TestTheGroupEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	g := NewGroup(ctx)
	_, cmd := g.Start("a", true, func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() })
	cancel()
	cmd()
	g.Wait()
}

func TestStreamMerges(t *testing.T) {
	s := Stream[int]{Merge: func(last *int, e int) bool {
		if *last/10 != e/10 {
			return false
		}
		*last = e
		return true
	}}
	for _, e := range []int{1, 2, 11, 12, 3} {
		s.Put(e)
	}
	if got := s.Take(); !slices.Equal(got, []int{2, 12, 3}) {
		t.Fatal(got)
	}
	if s.Take() != nil {
		t.Fatal("taken twice")
	}
	s.Put(4)
	s.Close()
	s.Put(5)
	if got := s.Take(); !slices.Equal(got, []int{4}) {
		t.Fatal(got)
	}
}
