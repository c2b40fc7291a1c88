package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsRunOneWay proves the order of the rooms: cmd knows ui, ui knows
// aws, aws knows build, and never the other way round; no room below ui knows a
// terminal, and ui knows no AWS SDK.
func TestImportsRunOneWay(t *testing.T) {
	const module = "github.com/optlift/optlift/"
	rank := map[string]int{"build": 0, "aws": 1, "ui": 2, "cmd": 3}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < 10 {
		t.Fatalf("go list names %d packages, the house has more", len(lines))
	}
	for _, line := range lines {
		words := strings.Fields(line)
		from := words[0]
		room, _, _ := strings.Cut(strings.TrimPrefix(from, module), "/")
		r, known := rank[room]
		if !known {
			t.Errorf("%s lies in no room of the house", from)
			continue
		}
		for _, imported := range words[1:] {
			other, _, _ := strings.Cut(strings.TrimPrefix(imported, module), "/")
			if strings.HasPrefix(imported, module) && rank[other] > r {
				t.Errorf("%s imports %s: imports run cmd, ui, aws, build", from, imported)
			}
			if terminal(imported) && r < rank["ui"] {
				t.Errorf("%s imports %s: only ui and cmd know a terminal", from, imported)
			}
			if strings.HasPrefix(imported, "github.com/aws/") && (room == "ui" || room == "build") {
				t.Errorf("%s imports %s: only aws and cmd know the SDK", from, imported)
			}
		}
	}
}

func terminal(imported string) bool {
	for _, prefix := range []string{"charm.land/", "github.com/charmbracelet/", "golang.org/x/term"} {
		if strings.HasPrefix(imported, prefix) {
			return true
		}
	}
	return false
}
