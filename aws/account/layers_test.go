package account_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/optlift/optlift/aws/account"
	"github.com/optlift/optlift/aws/emulator"
	"github.com/optlift/optlift/aws/session"
	"github.com/optlift/optlift/aws/session/sessiontest"
	"github.com/optlift/optlift/build/zipdir/ziptest"
)

func TestLayerReport(t *testing.T) {
	acct := sessiontest.Start(t)
	ctx := t.Context()
	publish := func(api *lambda.Client, name string, zip []byte, declare func(*lambda.PublishLayerVersionInput)) string {
		in := &lambda.PublishLayerVersionInput{LayerName: &name, Content: &types.LayerVersionContentInput{ZipFile: zip}}
		if declare != nil {
			declare(in)
		}
		out, err := api.PublishLayerVersion(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.LayerVersionArn)
	}
	a, b := ziptest.File("nodejs/a.js", "aaaa"), ziptest.File("nodejs/b.js", "bb")
	zip := ziptest.Bytes(a, b)
	declared := publish(acct.Lambda, "declared", zip, func(in *lambda.PublishLayerVersionInput) {
		in.CompatibleRuntimes, in.CompatibleArchitectures = []types.Runtime{types.RuntimeNodejs22x}, []types.Architecture{types.ArchitectureX8664}
	})
	publish(acct.Lambda, "declared", ziptest.Bytes(ziptest.File("other", "x")), nil)
	twin := publish(acct.Lambda, "twin", zip, nil)
	repacked := publish(acct.Lambda, "repacked", ziptest.Bytes(ziptest.Dir("nodejs"), b, a.Deflated()), nil)
	almost := publish(acct.Lambda, "almost", ziptest.Bytes(a, ziptest.File("nodejs/b.js", "bc")), nil)
	gone := publish(acct.Lambda, "gone", zip, nil)

	// A layer of another account that everybody may use.
	t.Setenv("AWS_ACCESS_KEY_ID", "210987654321")
	other := acct.Open(session.Options{Write: true, Unlimited: true}).Lambda(sessiontest.Region)
	foreign := publish(other, "foreign", ziptest.Bytes(ziptest.File("f", "f")), nil)
	if _, err := other.AddLayerVersionPermission(ctx, &lambda.AddLayerVersionPermissionInput{
		LayerName: aws.String("foreign"), VersionNumber: aws.Int64(1), StatementId: aws.String("all"), Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("*"),
	}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAEMULATOR00000000")

	python := func(in *lambda.CreateFunctionInput) {
		in.Runtime, in.Handler, in.Architectures, in.Layers = types.RuntimePython313, aws.String("x.y"), []types.Architecture{types.ArchitectureArm64}, []string{declared, foreign}
	}
	fine := acct.Function("fine", hello, layers(declared, twin, repacked, almost, gone))
	foul := acct.Function("foul", hello, python)
	acct.DeleteLayer(gone)

	run := func() *account.Report {
		auditor := newAuditor(acct.Open(session.Options{Unlimited: true}), "")
		var facts []*account.Facts
		var newest []*account.NewestLayers
		if err := auditor.Audit(ctx, func(e account.Event) {
			if e.Facts != nil {
				facts = append(facts, e.Facts)
			}
			if e.Newest != nil {
				newest = append(newest, e.Newest)
			}
		}); err != nil {
			t.Fatal(err)
		}
		r := account.NewReport("123456789012", []string{sessiontest.Region}, facts, nil)
		for _, n := range newest {
			r.TakeNewest(n)
		}
		return r
	}
	r := run()
	by := map[string]account.LayerVersionReport{}
	for _, l := range r.Layers {
		by[l.Name] = l
	}
	if len(by) != 6 || !slices.IsSortedFunc(r.Layers, func(a, b account.LayerVersionReport) int { return strings.Compare(a.ARN, b.ARN) }) {
		t.Fatal(by)
	}
	d := by["declared"]
	if diff := cmp.Diff([]string{fine, foul}, d.Functions); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]account.UndeclaredUse{{Function: foul, Runtime: "python3.13", Architecture: "arm64"}}, d.Undeclared); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(d.DeclaredRuntimes, []string{"nodejs22.x"}) || !slices.Equal(d.DeclaredArchitectures, []string{"x86_64"}) ||
		!slices.Equal(d.UsedRuntimes, []string{"nodejs22.x", "python3.13"}) || !slices.Equal(d.UsedArchitectures, []string{"arm64", "x86_64"}) {
		t.Errorf("%+v", d)
	}
	if d.Newest == nil || *d.Newest != 2 || !d.Outdated() || d.NewestState != account.OK || d.Version != 1 || d.Owner != "123456789012" || d.Foreign || d.State != account.OK || *d.Unzipped != 6 {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]account.SameContent{{repacked, "files"}, {twin, "archive"}}, d.SameContent); diff != "" {
		t.Error(diff)
	}
	if l := by["almost"]; len(l.SameContent) != 0 || l.Outdated() || *l.Newest != 1 || len(l.Undeclared) != 0 || len(l.DeclaredRuntimes) != 0 || l.DeclaredRuntimes == nil {
		t.Errorf("%+v", l)
	}
	// What is gone can't say what it declared, nor what it holds.
	if l := by["gone"]; l.State != account.Deleted || l.Unzipped != nil || l.DeclaredRuntimes != nil || l.Newest != nil || l.NewestState != account.Deleted || l.NewestMessage == "" || len(l.SameContent) != 0 {
		t.Errorf("%+v", l)
	}
	// Not allowed to look is not none.
	if l := by["foreign"]; !l.Foreign || l.Owner != "210987654321" || l.State != account.OK || l.Newest != nil || l.NewestState != account.Denied || l.NewestMessage == "" {
		t.Errorf("%+v", l)
	}
	b2, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Layers []map[string]any `json:"layers"`
	}
	if err := json.Unmarshal(b2, &doc); err != nil {
		t.Fatal(err)
	}
	for _, l := range doc.Layers {
		for _, list := range []string{"functions", "usedRuntimes", "usedArchitectures", "undeclared", "sameContent"} {
			if l[list] == nil {
				t.Errorf("%s of %s is null", list, l["arn"])
			}
		}
	}

	acct.Inject(emulator.Fault{Operation: "ListLayers", Kind: emulator.AccessDenied, Count: -1})
	for _, l := range run().Layers {
		if l.Newest != nil || l.NewestState != account.Denied || l.NewestMessage == "" {
			t.Errorf("%+v", l)
		}
	}
}

func TestPublishers(t *testing.T) {
	arn := "arn:aws:lambda:eu-central-1:464622532012:layer:Datadog-Extension:65"
	f := &account.Facts{
		Function:   account.Function{ARN: "arn:aws:lambda:eu-central-1:123456789012:function:f", Runtime: "nodejs22.x"},
		LayerFacts: []*account.LayerVersion{{ARN: arn}, {ARN: "arn:aws:lambda:eu-central-1:210987654321:layer:Datadog-Extension:65"}},
	}
	r := account.NewReport("123456789012", nil, []*account.Facts{f}, nil)
	if l := r.Layers[1]; l.Publisher != "Datadog (extension)" || l.Image != "public.ecr.aws/datadog/lambda-extension:65" || l.Source == "" || !l.Foreign {
		t.Errorf("%+v", l)
	}
	if l := r.Layers[0]; l.Publisher != "" || l.Image != "" || l.Source != "" {
		t.Errorf("%+v", l)
	}
	if l := r.Functions[0].Layers[0]; l.Publisher != "Datadog (extension)" {
		t.Errorf("%+v", l)
	}
}

// TestLayersAlone asks for each layer version once and for no function.
func TestLayersAlone(t *testing.T) {
	acct := sessiontest.Start(t)
	shared, gone := acct.Layer("shared", ziptest.File("bin/tool", "x")), acct.Layer("gone", ziptest.File("bin/tool", "y"))
	for i := range 5 {
		acct.Function(fmt.Sprintf("f%d", i), hello, layers(shared, gone))
	}
	acct.DeleteLayer(gone)
	acct.ForgetCalls()
	var listed, done int
	var facts []*account.Facts
	err := newAuditor(acct.Open(session.Options{Unlimited: true}), t.TempDir()).Layers(t.Context(), func(e account.Event) {
		switch {
		case e.Listed != nil:
			listed++
		case e.Facts != nil:
			facts = append(facts, e.Facts)
		case e.Listing != nil && e.Listing.Done:
			done++
		case e.Newest != nil:
			t.Error("newer versions were asked for")
		}
	})
	if err != nil || listed != 5 || len(facts) != 5 || done != 1 {
		t.Fatalf("%d listed, %d told, %d done, %v", listed, len(facts), done, err)
	}
	calls := map[string]int{}
	for _, c := range acct.Calls() {
		calls[c.Operation]++
	}
	if calls["GetFunction"] != 0 || calls["ListLayers"] != 0 || calls["GetLayerVersionByArn"] != 2 {
		t.Error(calls)
	}
	for _, f := range facts {
		if f.Complete || f.Known || f.Code.State != account.Unknown || len(f.LayerFacts) != 2 || f.LayerFacts[0].CodeSHA256 == "" || f.LayerFacts[1].State != account.Deleted {
			t.Errorf("%+v", f)
		}
	}
	r := account.NewReport("123456789012", nil, facts, nil)
	if len(r.Layers) != 2 || len(r.Layers[0].Functions) != 5 {
		t.Errorf("%+v", r.Layers)
	}
}
