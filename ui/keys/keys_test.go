package keys

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestFind(t *testing.T) {
	own := []Action{{ID: "open", Keys: []string{"enter", "o"}, Label: "open", Disabled: "nothing is selected"}, {ID: "none"}}
	root := []Action{{ID: "other", Keys: []string{"o"}}, {ID: "page", Keys: []string{"space"}}, {ID: "half", Keys: []string{"ctrl+d"}}}
	for key, want := range map[tea.Key]string{
		{Code: tea.KeyEnter}:            "open",
		{Code: 'o', Text: "o"}:          "open", // the earlier table wins, disabled or not
		{Code: tea.KeySpace, Text: " "}: "page",
		{Code: 'd', Mod: tea.ModCtrl}:   "half",
		{Code: 'd', Text: "d"}:          "",
	} {
		got, ok := Find(tea.KeyPressMsg(key), own, root)
		if got.ID != want || ok != (want != "") {
			t.Errorf("%s finds %q, want %q", key, got.ID, want)
		}
	}
	if h := own[0].Binding().Help(); h.Key != "enter" || h.Desc != "open" {
		t.Errorf("the footer says %q %q", h.Key, h.Desc)
	}
}
