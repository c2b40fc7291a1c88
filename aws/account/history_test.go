package account_test

import (
	"testing"
	"time"

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

func TestHistory(t *testing.T) {
	acct := sessiontest.Start(t)
	layer := acct.Layer("l", ziptest.File("a", "b"))
	arn := acct.Function("f", hello, layers(layer))
	api, ctx := acct.Lambda, t.Context()
	ready := func() {
		t.Helper()
		wait := lambda.NewFunctionActiveV2Waiter(api, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
		if err := wait.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &arn}, time.Minute); err != nil {
			t.Fatal(err)
		}
		done := lambda.NewFunctionUpdatedV2Waiter(api, func(o *lambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
		if err := done.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &arn}, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	ready()
	for _, text := range []string{"one", "two"} {
		if _, err := api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: &arn, Description: aws.String(text)}); err != nil {
			t.Fatal(err)
		}
		ready()
		if _, err := api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	for name, weights := range map[string]map[string]float64{"split": {"1": 0.25}, "all": nil} {
		in := &lambda.CreateAliasInput{FunctionName: &arn, Name: &name, FunctionVersion: aws.String("2")}
		if weights != nil {
			in.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
		}
		if _, err := api.CreateAlias(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	a := newAuditor(acct.Open(session.Options{Unlimited: true}), "")
	h, err := a.History(ctx, arn)
	if err != nil {
		t.Fatal(err)
	}
	if h.VersionsState != account.OK || len(h.Versions) != 2 || h.Versions[0].Version != "1" || h.Versions[0].Description != "one" || h.Versions[1].Layers[0] != layer || h.Versions[0].CodeSHA256 == "" {
		t.Errorf("%+v", h.Versions)
	}
	want := []account.Alias{{Name: "all", Version: "2"}, {Name: "split", Version: "2", Weights: map[string]float64{"1": 0.25}}}
	if diff := cmp.Diff(want, h.Aliases); diff != "" || h.AliasesState != account.OK {
		t.Error(diff, h.AliasesState)
	}
	// None is not the same as not allowed to look.
	bare := acct.Function("bare", hello, nil)
	if h, err = a.History(ctx, bare); err != nil || h.Versions == nil || len(h.Versions) != 0 || h.Aliases == nil || len(h.Aliases) != 0 {
		t.Errorf("%+v %v", h, err)
	}
	acct.Inject(emulator.Fault{Operation: "ListAliases", Kind: emulator.AccessDenied, Count: -1})
	if h, err = a.History(ctx, bare); err != nil || h.VersionsState != account.OK || h.AliasesState != account.Denied || h.Aliases != nil || h.AliasesMessage == "" {
		t.Errorf("%+v %v", h, err)
	}
}
