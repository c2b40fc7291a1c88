package preview

import (
	"strings"
	"testing"

	"github.com/optlift/optlift/ui/theme"
)

// Of each language a few lines, with what must stand out in them.
func TestHighlight(t *testing.T) {
	for file, c := range map[string]struct {
		text string
		want map[string]theme.Tone
	}{
		"index.mjs": {
			"// it's one\nexport const a = `x ${1}\n2`; /* two\n */ function go(b) { return b.class + 0x1f; }\n@deco class K {}\n",
			map[string]theme.Tone{
				"// it's one": theme.Comment, "export": theme.Keyword, "`x ${1}": theme.String, "2`": theme.String, "/* two": theme.Comment,
				" */": theme.Comment, "go": theme.Name, "0x1f": theme.Number, "@deco": theme.Name, "K": theme.Name,
			},
		},
		"app.py":         {"def f(x):  # why\n    '''doc\n    more'''\n    return f'{x}' + 1.5\n", map[string]theme.Tone{"def": theme.Keyword, "f": theme.Name, "# why": theme.Comment, "    more'''": theme.String, "f'{x}'": theme.String, "1.5": theme.Number}},
		"bootstrap.sh":   {"#!/bin/sh\nif [ $# -gt 0 ]; then echo \"${HOME}/a#b\"; fi # end\n", map[string]theme.Tone{"if": theme.Keyword, "$#": theme.Name, "0": theme.Number, "# end": theme.Comment}},
		"main.go":        {"func main() { x := `a\nb` // c\n}\n", map[string]theme.Tone{"func": theme.Keyword, "main": theme.Name, "`a": theme.String, "b`": theme.String, "// c": theme.Comment}},
		"Handler.java":   {"public class Handler { int x = 10L; }\n", map[string]theme.Tone{"public": theme.Keyword, "Handler": theme.Name, "10L": theme.Number}},
		"handler.rb":     {"def call(e)\n  puts :sym, @x, \"s\" # c\nend\n", map[string]theme.Tone{"call": theme.Name, ":sym": theme.Name, "@x": theme.Name, `"s"`: theme.String, "end": theme.Keyword}},
		"F.cs":           {"namespace A.B; var s = @\"x\";\n", map[string]theme.Tone{"A.B": theme.Name, "var": theme.Keyword, `@"x"`: theme.String}},
		"lib.rs":         {"#[x]\nfn f<'a>(s: &'a str) -> char { 'x' }\n", map[string]theme.Tone{"f": theme.Name, "'x'": theme.String}},
		"index.php":      {"<?php function f($a) { return 'x'; } # c\n", map[string]theme.Tone{"<?php": theme.Name, "$a": theme.Name, "'x'": theme.String, "# c": theme.Comment}},
		"Dockerfile":     {"FROM a AS b # no\n# yes\nCOPY --from=b /opt ${X}\n", map[string]theme.Tone{"FROM": theme.Keyword, "# yes": theme.Comment, "${X}": theme.Name}},
		"q.sql":          {"select 1 -- one\n", map[string]theme.Tone{"select": theme.Keyword, "1": theme.Number, "-- one": theme.Comment}},
		"package.json":   {"{\"a\": \"b\", \"n\": -1.5, \"t\": true}\n", map[string]theme.Tone{`"a"`: theme.Name, `"b"`: theme.String, "-1.5": theme.Number, "true": theme.Keyword}},
		"template.yml":   {"a-b: it's # c\nn: 12\nlist: [on, 'x']\nr: !Ref A\n", map[string]theme.Tone{"a-b": theme.Name, "# c": theme.Comment, "12": theme.Number, "on": theme.Keyword, "'x'": theme.String, "!Ref": theme.Name}},
		"pyproject.toml": {"[tool.x]\nname = \"n\" # c\nport=80\n", map[string]theme.Tone{"[tool.x]": theme.Keyword, "name": theme.Name, `"n"`: theme.String, "# c": theme.Comment, "80": theme.Number}},
		"pom.xml":        {"<?xml version=\"1.0\"?><!-- c --><a b=\"c\">t &amp; it's</a>\n", map[string]theme.Tone{"<!-- c -->": theme.Comment, "<a": theme.Name, "b": theme.Name, `"c"`: theme.String, "&amp;": theme.Number}},
		"x.css":          {"@media { .a { color: #fff; } } /* c */\n", map[string]theme.Tone{"@media": theme.Keyword, ".a": theme.Name, "color": theme.Name, "#fff": theme.Number, "/* c */": theme.Comment}},
		"README.md":      {"# Title\n- `code` and **bold**\n", map[string]theme.Tone{"# Title": theme.Keyword, "`code`": theme.String, "**bold**": theme.Name}},
		"bin/tool":       {"#!/usr/bin/env python3\nimport os\n", map[string]theme.Tone{"import": theme.Keyword}},
	} {
		t.Run(file, func(t *testing.T) {
			got := map[string]theme.Tone{}
			var lines []string
			for _, line := range tokens(file, []byte(c.text)) {
				text := ""
				for _, s := range line {
					text += s.text
					if old, seen := got[s.text]; !seen || old == theme.Plain {
						got[s.text] = s.tone
					}
				}
				lines = append(lines, text)
			}
			if all := strings.Join(lines, "\n") + "\n"; all != c.text {
				t.Errorf("%q became %q", c.text, all)
			}
			for text, tone := range c.want {
				if found, ok := got[text]; !ok || found != tone {
					t.Errorf("%q has tone %v (found: %v), want %v\n%q", text, found, ok, tone, got)
				}
			}
		})
	}
}
