package wire_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/wire"
)

func TestMarshalLeavesOutWhatIsNotThere(t *testing.T) {
	got, err := wire.Marshal(schemas.EventSourceMappingConfiguration, &types.EventSourceMappingConfiguration{
		UUID: aws.String("u"), BatchSize: aws.Int32(0), LastModified: aws.Time(time.UnixMilli(1700000000123)),
		FunctionResponseTypes: []types.FunctionResponseType{}, KMSKeyArn: aws.String("<a&b>"),
		SelfManagedEventSource: &types.SelfManagedEventSource{Endpoints: map[string][]string{"K": {"a:1"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"BatchSize":0,"FunctionResponseTypes":[],"KMSKeyArn":"<a&b>","LastModified":1700000000.123,"SelfManagedEventSource":{"Endpoints":{"K":["a:1"]}},"UUID":"u"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnmarshalIsTheWayBack(t *testing.T) {
	in := lambda.CreateFunctionInput{
		FunctionName: aws.String("f"), MemorySize: aws.Int32(128), Publish: true, Layers: []string{"a", "b"},
		Code: &types.FunctionCode{ZipFile: []byte{1, 2, 3}}, Architectures: []types.Architecture{"arm64"},
		Environment: &types.Environment{Variables: map[string]string{"K": "ü"}},
		VpcConfig:   &types.VpcConfig{Ipv6AllowedForDualStack: aws.Bool(false)},
	}
	body, err := wire.Marshal(schemas.CreateFunctionRequest, &in)
	if err != nil {
		t.Fatal(err)
	}
	var out lambda.CreateFunctionInput
	if err := wire.Unmarshal(schemas.CreateFunctionRequest, body, &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got %+v\nof %s", out, body)
	}
}

func TestUnmarshalRefusesOtherTypes(t *testing.T) {
	for _, body := range []string{
		`[]`, `{`, `{"MemorySize":"big"}`, `{"MemorySize":1.5}`, `{"MemorySize":99999999999}`, `{"Layers":"a"}`, `{"Layers":[1]}`,
		`{"Publish":1}`, `{"Environment":[]}`, `{"Environment":{"Variables":{"K":1}}}`, `{"Code":{"ZipFile":"no base64!"}}`, `{"FunctionName":{}}`,
	} {
		var in lambda.CreateFunctionInput
		var refused *wire.Error
		if err := wire.Unmarshal(schemas.CreateFunctionRequest, []byte(body), &in); !errors.As(err, &refused) || refused.Code != "SerializationException" || refused.Status != 400 {
			t.Errorf("%s: %v", body, err)
		}
	}
	// What is unknown or null is as good as absent; so is an empty body.
	for _, body := range []string{``, ` `, `{}`, `{"New":1,"MemorySize":null}`} {
		in := lambda.CreateFunctionInput{}
		if err := wire.Unmarshal(schemas.CreateFunctionRequest, []byte(body), &in); err != nil || in.MemorySize != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}
