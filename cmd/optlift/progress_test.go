package main

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	for _, c := range []struct {
		done, left int64
		took       time.Duration
		want       string
	}{
		{1 << 20, 1 << 20, time.Second / 2, ""},
		{0, 1 << 20, time.Minute, ""},
		{20 << 20, 90 << 20, 2 * time.Second, "  10 MiB/s  9s left"},
		{20 << 20, 900 << 20, 2 * time.Second, "  10 MiB/s  1m30s left"},
		{20 << 20, 0, 2 * time.Second, "  10 MiB/s"},
		{20 << 20, -20 << 20, 2 * time.Second, "  10 MiB/s"},
	} {
		if got := pace(c.done, c.left, c.took); got != c.want {
			t.Errorf("%d done, %d left, %s: %q, want %q", c.done, c.left, c.took, got, c.want)
		}
	}
}
