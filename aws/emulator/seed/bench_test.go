package seed_test

import (
	"testing"

	"github.com/optlift/optlift/aws/emulator"
)

func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name      string
		functions int
	}{{"empty", 0}, {"demo", 64}, {"large", 10000}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				s, err := emulator.Start(b.Context(), emulator.Options{Functions: c.functions})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
