package emulator_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator"
)

func TestDeletedLayerStaysWithItsFunctions(t *testing.T) {
	a := open(t, emulator.Options{})
	content := zipped(t, "bin/tool", "one")
	arn := a.layer("tools", content)
	if arn != prefix+"layer:tools:1" {
		t.Fatal(arn)
	}
	byARN := &lambda.GetLayerVersionByArnInput{Arn: &arn}
	got := must(a.lambda.GetLayerVersionByArn(t.Context(), byARN))(t)
	if got.Version != 1 || *got.LayerArn != prefix+"layer:tools" || got.Content.CodeSize != int64(len(content)) || *got.Description != "" {
		t.Errorf("got %+v", got)
	}
	if _, body := fetch(t, http.MethodGet, *got.Content.Location); !bytes.Equal(body, content) {
		t.Error("the location has other bytes")
	}
	a.create("f", func(in *lambda.CreateFunctionInput) { in.Layers = []string{arn} })
	remove := &lambda.DeleteLayerVersionInput{LayerName: aws.String("tools"), VersionNumber: aws.Int64(1)}
	must(a.lambda.DeleteLayerVersion(t.Context(), remove))(t)
	must(a.lambda.DeleteLayerVersion(t.Context(), remove))(t) // twice is fine

	const none = "The resource you requested does not exist."
	_, err := a.lambda.GetLayerVersionByArn(t.Context(), byARN)
	refused(t, err, "ResourceNotFoundException", 404, none)
	_, err = a.lambda.GetLayerVersion(t.Context(), &lambda.GetLayerVersionInput{LayerName: aws.String("tools"), VersionNumber: aws.Int64(1)})
	refused(t, err, "ResourceNotFoundException", 404, none)
	layers := a.get("f").Configuration.Layers
	if len(layers) != 1 || *layers[0].Arn != arn || layers[0].CodeSize != int64(len(content)) {
		t.Errorf("the function lists %d layers", len(layers))
	}
	_, err = a.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), Layers: []string{arn}})
	refused(t, err, "InvalidParameterValueException", 400, "Layer version "+arn+" does not exist.")
	if next := a.layer("tools", content); next != prefix+"layer:tools:2" {
		t.Errorf("published again as %s", next)
	}
}

func TestLayerLists(t *testing.T) {
	a := open(t, emulator.Options{})
	for _, r := range []types.Runtime{"nodejs22.x", "python3.13"} {
		must(a.lambda.PublishLayerVersion(t.Context(), &lambda.PublishLayerVersionInput{
			LayerName: aws.String("l"), CompatibleRuntimes: []types.Runtime{r}, CompatibleArchitectures: []types.Architecture{"arm64"},
			Content: &types.LayerVersionContentInput{ZipFile: zipped(t, "a", "b")},
		}))(t)
	}
	versions := must(a.lambda.ListLayerVersions(t.Context(), &lambda.ListLayerVersionsInput{LayerName: aws.String("l")}))(t).LayerVersions
	if len(versions) != 2 || versions[0].Version != 2 {
		t.Errorf("%d versions, not the newest first", len(versions))
	}
	layers := must(a.lambda.ListLayers(t.Context(), &lambda.ListLayersInput{CompatibleRuntime: "nodejs22.x"}))(t).Layers
	if len(layers) != 1 || layers[0].LatestMatchingVersion.Version != 1 {
		t.Errorf("%d layers match", len(layers))
	}
	_, err := a.lambda.ListLayers(t.Context(), &lambda.ListLayersInput{CompatibleRuntime: "cobol"})
	refused(t, err, "ValidationException", 400, "Value 'cobol' at 'compatibleRuntime'")
	if out := must(a.lambda.ListLayerVersions(t.Context(), &lambda.ListLayerVersionsInput{LayerName: aws.String("none")}))(t); len(out.LayerVersions) != 0 {
		t.Error("versions of no layer")
	}
	_, err = a.lambda.GetLayerVersion(t.Context(), &lambda.GetLayerVersionInput{LayerName: aws.String("l"), VersionNumber: aws.Int64(0)})
	refused(t, err, "InvalidParameterValueException", 400, "Layer Version Cannot be less than 1")
	_, err = a.lambda.GetLayerVersionByArn(t.Context(), &lambda.GetLayerVersionByArnInput{Arn: aws.String(prefix + "layer:l")})
	refused(t, err, "ValidationException", 400, "at 'arn' failed to satisfy constraint")
}

func TestForeignLayers(t *testing.T) {
	a := open(t, emulator.Options{})
	arn := a.layer("shared", zipped(t, "a", "b"))
	other := account{T: t, server: a.server, lambda: client(a.server, "eu-central-1", "999999999999")}
	read := func() error {
		_, err := other.lambda.GetLayerVersionByArn(t.Context(), &lambda.GetLayerVersionByArnInput{Arn: &arn})
		return err
	}
	denied := "is not authorized to perform: lambda:GetLayerVersion on resource: " + arn + " because no resource-based policy allows the lambda:GetLayerVersion action"
	refused(t, read(), "AccessDeniedException", 403, denied)
	grant := must(a.lambda.AddLayerVersionPermission(t.Context(), &lambda.AddLayerVersionPermissionInput{
		LayerName: aws.String("shared"), VersionNumber: aws.Int64(1), StatementId: aws.String("s"),
		Action: aws.String("lambda:GetLayerVersion"), Principal: aws.String("999999999999"),
	}))(t)
	if !strings.Contains(*grant.Statement, `"Principal":{"AWS":"arn:aws:iam::999999999999:root"}`) {
		t.Error(*grant.Statement)
	}
	if err := read(); err != nil {
		t.Error(err)
	}
	other.create("f", func(in *lambda.CreateFunctionInput) { in.Layers = []string{arn} })
	_, err := other.lambda.ListLayerVersions(t.Context(), &lambda.ListLayerVersionsInput{LayerName: aws.String(prefix + "layer:shared")})
	refused(t, err, "AccessDeniedException", 403, "lambda:ListLayerVersions")
	must(a.lambda.RemoveLayerVersionPermission(t.Context(), &lambda.RemoveLayerVersionPermissionInput{LayerName: aws.String("shared"), VersionNumber: aws.Int64(1), StatementId: aws.String("s")}))(t)
	refused(t, read(), "AccessDeniedException", 403, denied)
	if layers := other.get("f").Configuration.Layers; len(layers) != 1 {
		t.Error("the function lost its layer with the grant")
	}
	_, err = a.lambda.GetLayerVersionPolicy(t.Context(), &lambda.GetLayerVersionPolicyInput{LayerName: aws.String("shared"), VersionNumber: aws.Int64(1)})
	refused(t, err, "ResourceNotFoundException", 404, "No policy is associated with the given resource.")
}

func TestDownloads(t *testing.T) {
	a := open(t, emulator.Options{})
	a.create("f")
	content := zipped(t, "index.js", script)
	size := len(content)
	url := *a.get("f").Code.Location
	for _, c := range []struct {
		ranged   string
		status   int
		from, to int
	}{
		{"", 200, 0, size}, {"bytes=0-9", 206, 0, 10}, {"bytes=10-", 206, 10, size}, {"bytes=-22", 206, size - 22, size},
		{"bytes=-100000", 206, 0, size}, {"bytes=5-100000", 206, 5, size}, {"bytes=0-1,4-5", 200, 0, size}, {"lines=1", 200, 0, size},
		{"bytes=9-3", 200, 0, size}, {"bytes=100000-", 416, 0, 0}, {"bytes=-0", 416, 0, 0},
	} {
		res, body := fetch(t, http.MethodGet, url, "Range", c.ranged)
		if res.StatusCode != c.status || c.status < 400 && !bytes.Equal(body, content[c.from:c.to]) {
			t.Errorf("Range %q: %d with %d bytes", c.ranged, res.StatusCode, len(body))
		}
		if c.status == 416 && res.Header.Get("Content-Range") == "" {
			t.Error("416 without the object's size")
		}
	}
	res, _ := fetch(t, http.MethodGet, url)
	etag := res.Header.Get("ETag")
	if etag == "" || res.Header.Get("Accept-Ranges") != "bytes" {
		t.Error("no ETag or Accept-Ranges")
	}
	if res, _ := fetch(t, http.MethodGet, url, "If-Match", etag, "Range", "bytes=0-0"); res.StatusCode != 206 {
		t.Errorf("If-Match with its own ETag: %d", res.StatusCode)
	}
	if res, _ := fetch(t, http.MethodGet, url, "If-Match", `"other"`); res.StatusCode != 412 {
		t.Errorf("If-Match with another ETag: %d", res.StatusCode)
	}
	bare, query, _ := strings.Cut(url, "?")
	for what, bad := range map[string]string{
		"no query": bare, "other path": strings.Replace(url, "/f-", "/g-", 1), "other time": strings.Replace(url, "X-Amz-Expires=600", "X-Amz-Expires=9999", 1),
		"other signature": bare + "?" + strings.Replace(query, "X-Amz-Signature=", "X-Amz-Signature=0", 1),
	} {
		if res, _ := fetch(t, http.MethodGet, bad); res.StatusCode != 403 {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}
	if res, _ := fetch(t, http.MethodHead, url); res.StatusCode != 403 {
		t.Errorf("HEAD of a URL signed for GET: %d", res.StatusCode)
	}
	a.server.Advance(9 * time.Minute)
	if res, _ := fetch(t, http.MethodGet, url); res.StatusCode != 200 {
		t.Errorf("after 9 minutes: %d", res.StatusCode)
	}
	a.server.Advance(2 * time.Minute)
	if res, body := fetch(t, http.MethodGet, url); res.StatusCode != 403 || !bytes.Contains(body, []byte("Request has expired")) {
		t.Errorf("after 11 minutes: %d %s", res.StatusCode, body)
	}
}
