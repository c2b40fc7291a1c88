package seed

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// team is who owns functions, and what they do.
type team struct {
	name  string
	tasks []string
}

func teams() []team {
	return []team{
		{"orders", []string{"confirm", "cancel", "export", "reprice", "archive"}},
		{"billing", []string{"collect", "remind", "refund", "statement", "ledger-sync"}},
		{"shipping", []string{"label", "track", "route", "customs", "returns"}},
		{"catalog", []string{"import", "index", "enrich", "dedupe", "prices"}},
		{"accounts", []string{"signup", "verify", "merge", "export", "erase"}},
		{"search", []string{"crawl", "rank", "synonyms", "warmup", "feedback"}},
		{"media", []string{"transcode", "caption", "poster", "moderate", "expire"}},
		{"support", []string{"triage", "reply", "survey", "escalate", "digest"}},
		{"risk", []string{"score", "watchlist", "velocity", "case", "replay"}},
		{"data", []string{"partition", "compact", "quality", "lineage", "snapshot"}},
	}
}

// runtimes of ordinary functions, with the layers that go with them.
func runtimes() []struct {
	id     string
	layers [][]string
} {
	return []struct {
		id     string
		layers [][]string
	}{
		{"nodejs22.x", [][]string{{"node-commons:3"}, {"node-commons:2", "observability:2"}, nil}},
		{"python3.13", [][]string{{"python-commons:2"}, {"python-commons:2", "observability:2"}, {"apm-agent:2"}}},
		{"python3.12", [][]string{{"python-commons:1"}, nil}},
		{"java21", [][]string{{"java-commons:1"}, nil}},
		{"nodejs24.x", [][]string{{"node-commons:3", "apm-agent:2"}, {"node-commons:3"}}},
		{"ruby3.4", [][]string{{"ruby-gems:1"}}},
		{"provided.al2023", [][]string{nil, {"shell-tools:1"}}},
		{"dotnet10", [][]string{nil}},
	}
}

// ordinary is the i-th function with nothing special about it; the names do not
// repeat, however many there are.
func ordinary(i int) function {
	i = max(i, 0)
	all := teams()
	t := all[i%len(all)]
	round := i / len(all)
	name := t.name + "-" + t.tasks[round%len(t.tasks)]
	if again := round / len(t.tasks); again > 0 {
		name += fmt.Sprintf("-%03d", again)
	}
	kinds := runtimes()
	kind := kinds[(i+round)%len(kinds)]
	f := function{
		name: name, team: t.name, runtime: kind.id, handler: handlerOf(kind.id), arch: types.ArchitectureX8664,
		about:  fmt.Sprintf("%s: %s", t.name, t.tasks[round%len(t.tasks)]),
		memory: []int32{128, 256, 512, 1024}[i%4], timeout: []int32{3, 10, 30, 60}[(i+round)%4],
		layers: kind.layers[i%len(kind.layers)], age: time.Duration(1+i%200) * 26 * time.Hour,
		env: map[string]string{"STAGE": "production", "LOG_LEVEL": []string{"info", "warn"}[i%2]},
	}
	if i%3 == 1 {
		f.arch = types.ArchitectureArm64
	}
	if i%5 == 0 {
		f.tags = map[string]string{"cost-center": fmt.Sprint(4100 + i%7)}
	}
	return f
}
