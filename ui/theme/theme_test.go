package theme

import (
	"strings"
	"testing"
)

func TestMonoHasNoColour(t *testing.T) {
	for _, dark := range []bool{true, false} {
		st := New(dark, Mono)
		for tone := range toneCount {
			for _, selected := range []bool{true, false} {
				got := string(st.Append(nil, tone, selected, "x"))
				for _, colour := range []string{"[3", ";3", "[4m", "[48", ";48", "[9", ";9"} {
					if strings.Contains(got, colour) {
						t.Fatalf("tone %d: %q", tone, got)
					}
				}
				if selected && !strings.Contains(got, "7") {
					t.Fatalf("tone %d, selected, is not reversed: %q", tone, got)
				}
			}
		}
	}
}

func TestSixteenUsesThePaletteOnly(t *testing.T) {
	st := New(true, Sixteen)
	for tone := range toneCount {
		for _, selected := range []bool{true, false} {
			if got := string(st.Append(nil, tone, selected, "x")); strings.Contains(got, "38;") || strings.Contains(got, "48;") {
				t.Fatalf("tone %d: %q", tone, got)
			}
		}
	}
}

func TestLayersAreToldApart(t *testing.T) {
	for _, dark := range []bool{true, false} {
		st := New(dark, Full)
		seen := map[string]int{}
		for n := 1; n <= layers; n++ {
			s := string(st.Append(nil, Layer(n), false, "x"))
			if other, ok := seen[s]; ok {
				t.Fatalf("layers %d and %d look the same", other, n)
			}
			seen[s] = n
		}
	}
	if Letter(1) != "A" || Letter(26) != "Z" || Letter(27) != "#" || Letter(0) != "#" {
		t.Fatal("letters")
	}
}
