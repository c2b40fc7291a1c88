package ui

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/fleet"
	"github.com/optlift/optlift/aws/switchover"
	"github.com/optlift/optlift/aws/target"
	"github.com/optlift/optlift/build/image"
	"github.com/optlift/optlift/ui/inventory"
	"github.com/optlift/optlift/ui/migrate"
	"github.com/optlift/optlift/ui/sessionlog"
)

const (
	fakeAccount = "123456789012"
	fakeRegion  = "eu-west-1"
)

// epoch is the fake account's clock.
var epoch = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// fakeBackend is an account made of values. Its functions are deterministic.
type fakeBackend struct {
	remark    string // ends what stands against fleets, what they report, and what is told of layers to try
	dir       string // for zips
	functions []*account.Facts
	regions   []string
	unsure    string                       // what is uncertain about the regions
	files     map[string]map[string]string // what layers hold, instead of zips
	saved     string                       // which saved report it is
	endpoint  string                       // where the account is served, when not by AWS
	errors    []account.RegionError
	newest    []*account.NewestLayers
	accounts  []account.AccountReport // several, of as many profiles

	// signing, when set, is received from before SignIn ends. It fails with the
	// first of refusals, one after the other, and asks for the codes of profiles.
	signing  chan struct{}
	refusals []error
	codes    []string
	typed    []string // codes
	where    *Where   // before SignIn, instead of what is known after it
	in       bool

	// hold, when set, is received from before each event of an audit.
	hold chan struct{}
	// opening, when set, is received from before archives are opened.
	opening chan struct{}
	// fetching, when set, is received from before archives are there.
	fetching chan struct{}
	// finding, when set, is received from before each layer version is looked into.
	finding chan struct{}
	// step, when set, is received from before each step of a run ends.
	step chan struct{}

	mu      sync.Mutex
	armed   bool
	plan    *switchover.Plan
	entries []switchover.Entry
	fleets  []fleet.Entry
	breaks  string // the function of a fleet that fails
	openErr error
	planErr error
	chose   map[string]string
	runs    []string // what was applied, resumed, rolled back
}

func arn(kind, rest string) string {
	return "arn:aws:lambda:" + fakeRegion + ":" + fakeAccount + ":" + kind + ":" + rest
}

const mib = 1 << 20

func layerOf(name string, zip, unzipped int64, state account.State, message string) *account.LayerVersion {
	return &account.LayerVersion{
		ARN: arn("layer", name), Size: zip,
		Archive: account.Archive{State: state, Message: message, Unzipped: unzipped},
	}
}

// newFake makes an account of n functions; the first ones each show something.
func newFake(n int) *fakeBackend {
	otel := layerOf("otel-collector:12", 8*mib, 31*mib, account.OK, "")
	deps := layerOf("python-deps:4", 41*mib, 131*mib, account.OK, "")
	fonts := layerOf("fonts:2", 11*mib, 19*mib, account.OK, "")
	gone := layerOf("legacy-tools:1", 2*mib, 0, account.Deleted, "the layer version does not exist any more; functions that have it keep working, new ones can't use it")
	secret := &account.LayerVersion{
		ARN: "arn:aws:lambda:eu-west-1:999988887777:layer:vendor-agent:31", Size: 6 * mib,
		Archive: account.Archive{State: account.Denied, Message: "lambda:GetLayerVersion is not allowed on it: ask account 999988887777 for a grant"},
	}
	b := &fakeBackend{regions: []string{fakeRegion}}
	add := func(name, runtime, arch string, zip, code int64, layers ...*account.LayerVersion) *account.Facts {
		f := &account.Facts{Function: account.Function{
			ARN: arn("function", name), Name: name, Region: fakeRegion, PackageType: "Zip", Runtime: runtime, Handler: "index.handler",
			Architecture: arch, CodeSize: zip, Role: "arn:aws:iam::" + fakeAccount + ":role/service", MemoryMB: 512, TimeoutSec: 30,
			LastModified: epoch.Add(-72 * time.Hour),
		}, Known: true, Complete: true, TagsState: account.OK}
		f.Code = account.Archive{State: account.OK, Unzipped: code}
		f.Total = code
		for _, l := range layers {
			f.Function.Layers = append(f.Function.Layers, account.LayerRef{ARN: l.ARN, Size: l.Size})
			f.LayerFacts = append(f.LayerFacts, l)
			f.Total += l.Unzipped
			f.Known = f.Known && l.State == account.OK
			if l == otel {
				f.Extensions = append(f.Extensions, account.Extension{Name: "collector", Kind: "external", Executable: true, Source: l.ARN})
			}
		}
		b.functions = append(b.functions, f)
		return f
	}
	heavy := add("reports-render", "python3.13", "x86_64", 22*mib, 63*mib, otel, deps, fonts)
	heavy.Description = "Renders the monthly reports"
	heavy.EnvNames = []string{"BUCKET", "LOG_LEVEL", "REPORTS_TABLE"}
	heavy.Findings = []account.Finding{
		{ID: "near-limit", Severity: "warning", Message: "The unzipped size is at 98% of the limit: the next dependency may not fit.", Remedy: "Move the function to a container image, whose limit is 10 GB."},
		{ID: "shadowed", Severity: "note", Message: "python-deps:4 hides 2 files of otel-collector:12 that differ.", Remedy: "Look under /opt, and put the layer that must win last."},
	}
	add("orders-api", "nodejs22.x", "arm64", 3*mib, 12*mib, otel)
	broken := add("legacy-export", "python3.9", "x86_64", 4*mib, 15*mib, gone)
	broken.Findings = []account.Finding{{ID: "layer-deleted", Severity: "error", Message: "Layer legacy-tools:1 is deleted: the function can't be created again with it.", Remedy: "Publish the layer's content again before anything is changed."}}
	denied := add("billing-sync", "java21", "x86_64", 31*mib, 64*mib, secret)
	denied.ManagedBy = "CloudFormation stack billing"
	denied.Findings = []account.Finding{{ID: "stack-managed", Severity: "warning", Message: "The stack billing manages this function and would undo a change.", Remedy: "Change the stack's template instead."}}
	img := add("thumbnails", "", "arm64", 0, 0)
	img.PackageType, img.Handler, img.Known, img.Code.State = "Image", "", false, account.Unknown
	add("tiny", "provided.al2023", "arm64", 900<<10, 2*mib)
	runtimes := []string{"nodejs22.x", "python3.13", "nodejs20.x", "java21", "provided.al2023"}
	areas := []string{"orders", "billing", "search", "mail", "users", "audit", "media"}
	for i := len(b.functions); i < n; i++ {
		arch := "x86_64"
		if i%3 == 0 {
			arch = "arm64"
		}
		var layers []*account.LayerVersion
		if i%2 == 0 {
			layers = append(layers, otel)
		}
		if i%5 == 0 {
			layers = append(layers, fonts)
		}
		add(fmt.Sprintf("%s-worker-%02d", areas[i%len(areas)], i), runtimes[i%len(runtimes)], arch, int64(i%37)*mib/3+200<<10, int64(i%53)*mib+mib/2, layers...)
	}
	b.plan = fakePlan()
	return b
}

// newTold makes an account whose layers tell something: a newer version, uses that
// are not declared, the same content twice, a known publisher.
func newTold() *fakeBackend {
	b := newFake(12)
	extension := &account.LayerVersion{
		ARN: "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:65", Size: 9 * mib, CodeSHA256: "dog=",
		Archive: account.Archive{State: account.OK, Unzipped: 30 * mib},
	}
	orders := b.functions[1]
	orders.Layers = append(orders.Layers, account.LayerRef{ARN: extension.ARN, Size: extension.Size})
	orders.LayerFacts = append(orders.LayerFacts, extension)
	orders.Total += extension.Unzipped
	orders.Asked = epoch
	for _, f := range b.functions {
		for _, l := range f.LayerFacts {
			switch inventory.ShortLayer(l.ARN) {
			case "otel-collector:12":
				l.CodeSHA256, l.Runtimes, l.Architectures = "otel=", []string{"nodejs22.x", "python3.13"}, []string{"x86_64"}
			case "python-deps:4":
				l.CodeSHA256, l.Runtimes = "one=", []string{"python3.13"}
			case "fonts:2":
				l.CodeSHA256 = "one="
			}
		}
	}
	b.newest = []*account.NewestLayers{{Account: fakeAccount, Region: fakeRegion, State: account.OK, Versions: map[string]int64{
		arn("layer", "otel-collector"): 14, arn("layer", "python-deps"): 4, arn("layer", "fonts"): 2,
	}}}
	return b
}

// otherAccount is the second one of newFakes.
const otherAccount = "210987654321"

// newFakes makes two accounts that a profile each shows, with a function of one
// name in both, and a third profile that could not be opened.
func newFakes(n int) *fakeBackend {
	b := newFake(n)
	for _, i := range []int{1, 5} {
		f := *b.functions[i]
		f.ARN = strings.Replace(f.ARN, fakeAccount, otherAccount, 1)
		b.functions = append(b.functions, &f)
	}
	why := "the login of profile out has expired: aws sso login --profile out"
	b.accounts = []account.AccountReport{
		{Profile: "prod", Account: fakeAccount, Regions: b.regions},
		{Profile: "test", Account: otherAccount, Regions: b.regions},
		{Profile: "out", Regions: []string{}, Message: why, Failed: true},
	}
	b.errors = []account.RegionError{{Profile: "out", Message: why}}
	return b
}

func fakePlan() *switchover.Plan {
	fn := arn("function", "orders-api")
	return &switchover.Plan{
		Schema: 1, Function: "orders-api", ARN: fn, Strategy: switchover.Replace, RevisionID: "rev-1", CodeSHA256: "abc",
		Warnings: []switchover.Notice{{ID: "gap", Message: "The name does not answer from the delete until the new function is active, usually some seconds."}},
		Lost:     []switchover.Notice{{ID: "versions", Message: "Published versions 1 to 3 get new numbers."}},
		Steps: []switchover.Step{
			{ID: "backup", Action: switchover.Create, Call: "local", Target: "code and 1 layer", Undo: ""},
			{ID: "build-image", Action: switchover.Create, Call: "local", Target: "nodejs:22 arm64"},
			{ID: "push-image", Action: switchover.Create, Call: "PutImage", Target: fakeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/orders-api", Undo: "BatchDeleteImage"},
			{ID: "rehearse", Action: switchover.Create, Call: "CreateFunction", Target: "orders-api-rehearsal", Undo: "DeleteFunction"},
			{ID: "delete-function", Action: switchover.Delete, Call: "DeleteFunction", Target: fn, Undo: "CreateFunction from the backup", NoReturn: true},
			{ID: "create-function", Action: switchover.Create, Call: "CreateFunction", Target: fn, Undo: "DeleteFunction"},
			{ID: "alias:live", Action: switchover.Create, Call: "CreateAlias", Target: fn + ":live", Undo: "DeleteAlias"},
			{ID: "policy", Action: switchover.Keep, Call: "GetPolicy", Target: fn},
		},
	}
}

func (b *fakeBackend) SignIn(ctx context.Context, ask Ask) error {
	if b.signing != nil {
		select {
		case <-b.signing:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, profile := range b.codes {
		code, err := ask(profile)
		if err != nil {
			return err
		}
		b.typed = append(b.typed, code)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.refusals) > 0 {
		err := b.refusals[0]
		b.refusals = b.refusals[1:]
		return err
	}
	b.in = true
	return nil
}

func (b *fakeBackend) Where() Where {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.where != nil && !b.in {
		return *b.where
	}
	return Where{Account: fakeAccount, Caller: "arn:aws:sts::" + fakeAccount + ":assumed-role/dev/me", Regions: b.regions, Demo: b.accounts == nil, Note: b.unsure, Endpoint: b.endpoint, Accounts: b.accounts, Saved: b.saved}
}

func (b *fakeBackend) Armed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.armed
}

func (b *fakeBackend) Arm(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id != fakeAccount {
		return errors.New("that is not the account's id")
	}
	b.armed = true
	return nil
}

func (b *fakeBackend) Audit(ctx context.Context, emit func(account.Event)) error {
	wait := func() error {
		if b.hold == nil {
			return ctx.Err()
		}
		select {
		case <-b.hold:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i := range b.errors {
		emit(account.Event{Region: &b.errors[i]})
	}
	for i, f := range b.functions {
		if err := wait(); err != nil {
			return err
		}
		fn := f.Function
		emit(account.Event{Listed: &fn})
		emit(account.Event{Listing: &account.Listing{Region: fakeRegion, Found: i + 1, Done: i+1 == len(b.functions)}})
	}
	for _, f := range b.functions {
		if err := wait(); err != nil {
			return err
		}
		emit(account.Event{Facts: f})
	}
	for _, n := range b.newest {
		emit(account.Event{Newest: n})
	}
	return nil
}

func (b *fakeBackend) Measure(ctx context.Context, name string) (*account.Facts, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.functions {
		if f.ARN == name || f.Name == name {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no function %s", name)
}

// History tells two versions and an alias of most functions.
func (b *fakeBackend) History(ctx context.Context, arn string) (*account.History, error) {
	if strings.Contains(arn, "billing") {
		return &account.History{VersionsState: account.Denied, VersionsMessage: "lambda:ListVersionsByFunction is not allowed",
			Aliases: []account.Alias{}, AliasesState: account.OK}, nil
	}
	return &account.History{
		Versions: []account.Version{
			{Version: "1", Runtime: "nodejs20.x", CodeSize: 2 * mib, LastModified: "2025-11-02T08:00:00Z"},
			{Version: "2", Description: "the one that works", Runtime: "nodejs22.x", CodeSize: 3 * mib, LastModified: "2026-02-02T08:00:00Z"},
		}, VersionsState: account.OK,
		Aliases: []account.Alias{{Name: "live", Version: "2", Weights: map[string]float64{"1": 0.1}}}, AliasesState: account.OK,
	}, nil
}

// zips are what the fake's layers hold; the last one of two wins.
var zips = map[string]map[string]string{
	"otel-collector:12": {
		"extensions/collector":              "\x7fELF\x02\x01\x01\x00" + strings.Repeat("\x00\x90binary", 600),
		"python/shared.py":                  "# the collector's copy\nVERSION = 1\n\n\ndef trace(name):\n    return name\n",
		"python/same.py":                    "same = True\n",
		"nodejs/node_modules/otel/index.js": "module.exports = 'from the layer';\n",
		"collector.yaml":                    "receivers:\n  otlp:\n    protocols: [grpc, http]\n",
	},
	"python-deps:4": {
		"python/shared.py":         "# the dependency's copy\nVERSION = 2\n\n\ndef trace(name):\n    return name.upper()\n",
		"python/same.py":           "same = True\n",
		"python/numpy/core.py":     "import math\n\nPI = math.pi  # as everybody\n" + strings.Repeat("x = 'padding'\n", 400),
		"python/numpy/__init__.py": "from .core import *\n",
		"python/evil\x1b[31m.py":   "",
	},
	"fonts:2": {"fonts/sans.ttf": "\x00\x01\x00\x00" + strings.Repeat("glyph", 900), "fonts/README.md": "# Fonts\n\nFree ones.\n"},
	"code": {
		"index.mjs":                  "// handler\nexport const handler = async (event) => {\n  return { ok: true };\n};\n",
		"node_modules/otel/index.js": "module.exports = 'from the code';\n",
		"package.json":               "{\n  \"name\": \"orders\"\n}\n",
	},
}

func writeZip(dir, name string, files map[string]string) (string, error) {
	path := filepath.Join(dir, strings.ReplaceAll(name, ":", "-")+".zip")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := zip.NewWriter(f)
	names := make([]string, 0, len(files))
	for n := range files {
		if !strings.ContainsRune(n, 0x1b) { // refused by the archive's reader
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range names {
		h := &zip.FileHeader{Name: n, Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasPrefix(n, "extensions/") {
			h.SetMode(0o755)
		}
		e, err := w.CreateHeader(h)
		if err != nil {
			return "", err
		}
		if _, err := e.Write([]byte(files[n])); err != nil {
			return "", err
		}
	}
	return path, w.Close()
}

func (b *fakeBackend) Open(ctx context.Context, targets ...string) (*target.Set, error) {
	if b.opening != nil {
		<-b.opening
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.openErr != nil {
		return nil, b.openErr
	}
	var names []string
	var of *account.Function
	code := false
	for _, t := range targets {
		found := false
		for _, f := range b.functions {
			if f.ARN == t {
				found, code = true, true
				of = &f.Function
				for _, l := range f.Layers {
					names = append(names, l.ARN)
				}
			}
		}
		if !found {
			names = append(names, t)
		}
	}
	if code {
		names = append(names, "code")
	}
	content := zips
	if b.files != nil {
		content = b.files
	}
	var files []string
	for _, n := range names {
		if strings.HasSuffix(n, ".zip") {
			files = append(files, n)
			continue
		}
		key := n
		if i := strings.Index(n, ":layer:"); i >= 0 {
			key = n[i+len(":layer:"):]
		}
		file, err := writeZip(b.dir, key, content[key])
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	set, err := new(target.Opener).Open(ctx, files...)
	if err != nil {
		return nil, err
	}
	for i := range set.Layers {
		set.Layers[i].Name = names[i]
	}
	for _, f := range b.functions {
		for i, l := range f.LayerFacts {
			if of != nil && f.ARN == of.ARN && i < len(set.Layers) && (l.State == account.Deleted || l.State == account.Denied) {
				set.Layers[i] = target.Archive{Name: l.ARN, State: l.State, Missing: errors.New(l.Message)}
			}
		}
	}
	if code {
		last := set.Layers[len(set.Layers)-1]
		set.Code, set.Function = &last, of
		set.Layers = set.Layers[:len(set.Layers)-1]
	}
	return set, nil
}

// OpenLayer opens a layer of the fake's, or a zip of this machine. A layer without
// a version is the newest one of zips.
func (b *fakeBackend) OpenLayer(ctx context.Context, ref, near string, told func(step string)) (*target.Layer, error) {
	told("asking for " + ref + b.remark)
	if b.opening != nil {
		select {
		case <-b.opening:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	opener := new(target.Opener)
	if strings.HasSuffix(ref, ".zip") {
		return opener.Layer(ctx, ref, near, told)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := ref
	if i := strings.Index(ref, ":layer:"); i >= 0 {
		key = ref[i+len(":layer:"):]
	}
	content := zips
	if b.files != nil {
		content = b.files
	}
	for n := 99; n > 0 && content[key] == nil; n-- {
		if _, ok := content[fmt.Sprint(key, ":", n)]; ok {
			key = fmt.Sprint(key, ":", n)
		}
	}
	if content[key] == nil {
		return nil, errors.New("account " + fakeAccount + " has no layer " + ref + " in " + fakeRegion + ", or no version of it any more: optlift audit --layers lists those in use" + b.remark)
	}
	file, err := writeZip(b.dir, key, content[key])
	if err != nil {
		return nil, err
	}
	l, err := opener.Layer(ctx, file, near, told)
	if err != nil {
		return nil, err
	}
	l.Source = arn("layer", key)
	if key == "arm-tools:1" {
		l.Architectures = []string{"arm64" + b.remark}
	}
	return l, nil
}

func (b *fakeBackend) Plan(ctx context.Context, arn string, c switchover.Choices) (*switchover.Snapshot, *switchover.Plan, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.planErr != nil {
		return nil, nil, b.planErr
	}
	p := *b.plan
	p.Strategy = c.Strategy
	p.Blockers = nil
	for _, n := range b.plan.Blockers {
		accepted := false
		for _, id := range c.Accept {
			accepted = accepted || id == n.ID
		}
		if !accepted {
			p.Blockers = append(p.Blockers, n)
		}
	}
	// A snapshot holds secrets, which no screen may show.
	return &switchover.Snapshot{Function: p.Function, ARN: p.ARN, Config: []byte(`{"Environment":{"Variables":{"TOKEN":"` + plantedSecret + `"}}}`)}, &p, nil
}

func (b *fakeBackend) Apply(ctx context.Context, snap *switchover.Snapshot, plan *switchover.Plan, c switchover.Choices, w migrate.Watch) (*switchover.Result, error) {
	if !b.Armed() {
		return nil, errors.New("read-only")
	}
	b.note("apply " + plan.Function)
	b.mu.Lock()
	b.chose = c.LayerImages
	b.mu.Unlock()
	done, err := b.walk(ctx, plan.Steps, w)
	r := &switchover.Result{Journal: "20260314-092653-orders-api", Function: plan.Function, State: "done",
		Image: fakeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/orders-api@sha256:4f1c", Gap: 3200 * time.Millisecond, Message: "The function is a container image now."}
	if err != nil {
		r.State, r.Gap = "stopped", 0
		r.Message = fmt.Sprintf("Stopped after %d of %d steps.", done, len(plan.Steps))
		r.Next = []string{"optlift resume " + r.Journal + " --write --confirm orders-api", "optlift rollback " + r.Journal + " --write --confirm orders-api"}
	}
	b.mu.Lock()
	for i, f := range b.functions {
		if f.Name == plan.Function && err == nil {
			now := *f
			now.PackageType, now.Runtime, now.Layers, now.LayerFacts, now.Known = "Image", "", nil, nil, false
			b.functions[i] = &now
		}
	}
	b.entries = append([]switchover.Entry{{ID: r.Journal, Function: r.Function, Region: fakeRegion, Account: fakeAccount, Started: epoch, State: r.State}}, b.entries...)
	b.mu.Unlock()
	return r, nil
}

func (b *fakeBackend) walk(ctx context.Context, steps []switchover.Step, w migrate.Watch) (int, error) {
	at, emit := epoch, w.Emit
	for i, s := range steps {
		if ctx.Err() != nil {
			return i, ctx.Err()
		}
		if s.NoReturn && w.Pause != nil {
			if err := w.Pause(ctx, s); err != nil {
				return i, err
			}
		}
		emit(switchover.Event{Step: s, State: switchover.Running, At: at})
		if s.ID == "push-image" {
			for n := int64(1); n <= 3; n++ {
				emit(switchover.Event{Step: s, State: switchover.Running, At: at,
					Image: &image.Progress{Stage: image.StageWrite, Item: "otel-collector:12", Done: n * 4 * mib, Total: 40 * mib}})
			}
		}
		if b.step != nil {
			<-b.step // a running step is not cut short
		}
		at = at.Add(1500 * time.Millisecond)
		if s.Call != "local" {
			emit(switchover.Event{Step: s, State: switchover.Running, At: at, Call: &switchover.Call{Operation: s.Call, Target: s.Target, Took: 84 * time.Millisecond}})
		}
		emit(switchover.Event{Step: s, State: switchover.Done, At: at, Facts: fakeFacts[s.ID]})
	}
	return len(steps), nil
}

// fakeFacts are what the fake's steps find out.
var fakeFacts = map[string][]switchover.Fact{
	"backup": {{Name: "archive", Value: "code of orders-api, 3145728 bytes, sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"}},
	"push-image": {
		{Name: "base", Value: "public.ecr.aws/lambda/nodejs:22@sha256:9f1c2e4b7a6d5038c1b2a3948576e6f70819a2b3c4d5e6f708192a3b4c5d6e7f"},
		{Name: "platform", Value: "linux/arm64"},
		{Name: "layer", Value: "otel-collector:12, 8388608 bytes sent, 32505856 unpacked, sha256:1a2b3c"},
		{Name: "layer", Value: "code of orders-api, 3145728 bytes sent, 12582912 unpacked, sha256:4d5e6f"},
		{Name: "lint", Value: "every rule of Lambda's image reader that can be checked here holds"},
		{Name: "proof", Value: "1204 paths below /opt and /var/task equal to the merged zips"},
	},
	"rehearse": {{Name: "event", Value: "order.json: the same answer; 412 bytes from the Zip function, 412 from the image"}},
}

// CompareLayer takes images whose name holds "good".
func (b *fakeBackend) CompareLayer(ctx context.Context, function, layer, image string) (string, error) {
	b.note("compare " + image)
	if !strings.Contains(image, "good") {
		return "", errors.New(image + " differs from the layer's zip: /opt/collector.yaml is missing")
	}
	return image + "@sha256:77aa", nil
}

func (b *fakeBackend) PublishLayer(ctx context.Context, function, layer, to string, progress func(image.Progress)) (string, error) {
	if !b.Armed() {
		return "", errors.New("read-only")
	}
	b.note("publish " + to)
	progress(image.Progress{Stage: image.StageWrite, Item: to, Done: 4 * mib, Total: 8 * mib})
	return fakeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/" + to + "@sha256:88bb", nil
}

func (b *fakeBackend) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs = append(b.runs, what)
}

func (b *fakeBackend) did() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.runs...)
}

func (b *fakeBackend) Resume(ctx context.Context, id string, w migrate.Watch) (*switchover.Result, error) {
	b.note("resume " + id)
	if _, err := b.walk(ctx, b.plan.Steps, w); err != nil {
		return nil, err
	}
	return &switchover.Result{Journal: id, Function: b.plan.Function, State: "done", Message: "Gone on to the end."}, nil
}

func (b *fakeBackend) Rollback(ctx context.Context, id string, w migrate.Watch) (*switchover.Result, error) {
	b.note("rollback " + id)
	steps := []switchover.Step{
		{ID: "delete-image-function", Action: switchover.Delete, Call: "DeleteFunction", Target: b.plan.ARN},
		{ID: "create-zip-function", Action: switchover.Create, Call: "CreateFunction", Target: b.plan.ARN},
	}
	if _, err := b.walk(ctx, steps, w); err != nil {
		return nil, err
	}
	return &switchover.Result{Journal: id, Function: b.plan.Function, State: "rolled-back", Message: "The Zip function is back."}, nil
}

func (b *fakeBackend) Journals() ([]switchover.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]switchover.Entry(nil), b.entries...), nil
}

func (b *fakeBackend) Journal(id string) (*switchover.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e.ID == id {
			for i, s := range b.plan.Steps[:3] {
				e.Steps = append(e.Steps, switchover.Event{Step: s, State: switchover.Done, At: epoch.Add(time.Duration(i) * time.Second)})
			}
			return &e, nil
		}
	}
	return nil, fmt.Errorf("no journal %s", id)
}

// Calls are one that worked, one that was throttled, and one that was refused.
func (b *fakeBackend) Calls() ([]sessionlog.Call, int) {
	return []sessionlog.Call{
		{At: epoch, Operation: "Lambda ListFunctions", Region: fakeRegion, Duration: 84 * time.Millisecond, Attempts: 1},
		{At: epoch.Add(time.Second), Operation: "Lambda GetFunction", Region: fakeRegion, Target: arn("function", "orders-api"), Duration: 2310 * time.Millisecond, Attempts: 3},
		{At: epoch.Add(2 * time.Second), Operation: "Lambda GetLayerVersionByArn", Region: fakeRegion, Target: "arn:aws:lambda:eu-west-1:999988887777:layer:vendor-agent:31",
			Duration: 31 * time.Millisecond, Attempts: 1, Err: "lambda:GetLayerVersion is not allowed for dev on account 999988887777"},
		{At: epoch.Add(3 * time.Second), Operation: "Lambda DeleteFunction", Region: fakeRegion, Target: nasty, Err: "the session is read-only"},
	}, 1204
}

func (b *fakeBackend) Explain(err error) string { return err.Error() }
