package settings

import (
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/optlift/optlift/aws/switchover/snapshot"
)

// Every field that the SDK knows of a function is in exactly one list, so that a
// field AWS adds can't be lost without anybody noticing.
func TestEveryFieldIsAccountedFor(t *testing.T) {
	lists := map[string]string{"carried": carriedFields, "changed": changedFields, "refused": refusedFields, "read-only": readOnlyFields}
	in := map[string][]string{}
	for list, fields := range lists {
		for _, f := range strings.Fields(fields) {
			in[f] = append(in[f], list)
		}
	}
	known := map[string]bool{}
	for _, typ := range []reflect.Type{reflect.TypeFor[lambda.CreateFunctionInput](), reflect.TypeFor[types.FunctionConfiguration]()} {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() {
				continue
			}
			known[f.Name] = true
			if n := len(in[f.Name]); n != 1 {
				t.Errorf("%s.%s is in %d lists (%v), want exactly one", typ, f.Name, n, in[f.Name])
			}
		}
	}
	for f := range in {
		if !known[f] {
			t.Errorf("the SDK has no field %s any more", f)
		}
	}
}

// fill sets every field of a value to something that is not its zero.
func fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), v.Type().Field(i).Name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fill(e, name)
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), e)
	case reflect.String:
		v.SetString("some " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.25)
	default:
		panic("no filling for " + v.Type().String())
	}
}

// unset lists what has no value inside a value.
func unset(v reflect.Value, name string) []string {
	var none []string
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return unset(v.Elem(), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				none = append(none, unset(v.Field(i), name+"."+f.Name)...)
			}
		}
		return none
	case reflect.Slice:
		if v.Len() > 0 {
			return unset(v.Index(0), name+"[0]")
		}
	}
	if v.IsZero() {
		none = append(none, name)
	}
	return none
}

func filled(t *testing.T) types.FunctionConfiguration {
	t.Helper()
	var c types.FunctionConfiguration
	fill(reflect.ValueOf(&c).Elem(), "")
	return c
}

var ignoreNoSerde = cmpopts.IgnoreUnexported(lambda.CreateFunctionInput{}, lambda.UpdateFunctionConfigurationInput{},
	types.FunctionConfiguration{}, types.Environment{}, types.EnvironmentResponse{}, types.VpcConfig{}, types.VpcConfigResponse{},
	types.TracingConfig{}, types.TracingConfigResponse{}, types.DeadLetterConfig{}, types.EphemeralStorage{}, types.FileSystemConfig{},
	types.LoggingConfig{}, types.DurableConfig{}, types.S3FilesConfig{}, types.FunctionCode{}, types.SnapStart{})

// What is listed as carried really is, in the call that creates and in the one
// that updates.
func TestCarriedFieldsAreCarried(t *testing.T) {
	c := filled(t)
	in := CreateInput("name", c, Code{Image: "repo@sha256:1"}, map[string]string{"a": "b"})
	got := reflect.ValueOf(in).Elem()
	for _, name := range strings.Fields(carriedFields) {
		if got.FieldByName(name).IsZero() {
			t.Errorf("CreateInput does not carry %s", name)
		}
	}
	for _, name := range strings.Fields(carriedFields) {
		for _, lost := range unset(got.FieldByName(name), name) {
			t.Errorf("CreateInput does not carry %s", lost)
		}
	}
	for _, name := range strings.Fields(changedFields + " " + refusedFields) {
		f := got.FieldByName(name)
		if name == "Code" || name == "PackageType" || !f.IsValid() {
			continue
		}
		if !f.IsZero() {
			t.Errorf("CreateInput of an image sends %s: %v", name, f)
		}
	}
	// What the two calls share they send alike.
	up := UpdateInput("name", c, types.FunctionConfiguration{}, true)
	for i := range reflect.TypeOf(*up).NumField() {
		name := reflect.TypeOf(*up).Field(i).Name
		a, b := got.FieldByName(name), reflect.ValueOf(up).Elem().Field(i)
		if !a.IsValid() || !a.CanInterface() {
			continue
		}
		if d := cmp.Diff(a.Interface(), b.Interface(), ignoreNoSerde); d != "" {
			t.Errorf("create and update send another %s:\n%s", name, d)
		}
	}
	zip := CreateInput("name", c, Code{Zip: []byte{1}}, nil)
	if aws.ToString(zip.Handler) != aws.ToString(c.Handler) || zip.Runtime != c.Runtime || len(zip.Layers) != len(c.Layers) {
		t.Errorf("CreateInput of a zip loses handler, runtime or layers: %+v", zip)
	}
}

// A function that is read back from JSON is the function that was kept.
func TestConfigurationSurvivesTheSnapshot(t *testing.T) {
	c := filled(t)
	raw, err := snapshot.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	back, err := snapshot.Decode[types.FunctionConfiguration](raw)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, back) {
		t.Errorf("kept %+v, got back %+v", c, back)
	}
}

// The update clears what only the function has, and leaves out what neither has:
// the call leaves alone what it is not told.
func TestUpdateClears(t *testing.T) {
	none := types.FunctionConfiguration{Role: aws.String("r")}
	in := UpdateInput("name", none, filled(t), false)
	if in.Environment == nil || in.Environment.Variables == nil || len(in.Environment.Variables) != 0 {
		t.Error("the environment is not cleared")
	}
	if in.VpcConfig == nil || in.VpcConfig.SubnetIds == nil || in.VpcConfig.SecurityGroupIds == nil {
		t.Error("the VPC is not cleared")
	}
	if in.DeadLetterConfig == nil || in.DeadLetterConfig.TargetArn == nil || in.KMSKeyArn == nil || in.Description == nil ||
		in.Layers == nil || in.FileSystemConfigs == nil || in.SnapStart == nil {
		t.Errorf("something is left alone: %+v", in)
	}
	in = UpdateInput("name", none, none, false)
	if in.Environment != nil || in.VpcConfig != nil || in.DeadLetterConfig != nil || in.KMSKeyArn != nil || in.Description != nil ||
		in.Layers != nil || in.FileSystemConfigs != nil || in.SnapStart != nil {
		t.Errorf("something is sent that neither has: %+v", in)
	}
}
