package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/traits"
)

// Marshal encodes the members of v, a pointer to one of the SDK's structs, that
// belong to the body, under the names of schema. Nil members are left out, as
// AWS leaves them out; times are epoch seconds, the default of both protocols.
func Marshal(schema *smithy.Schema, v any) ([]byte, error) {
	tree := encodeStruct(schema, reflect.Indirect(reflect.ValueOf(v)), true)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return nil, fmt.Errorf("encode %s: %w", schema.ID().Name, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Unmarshal decodes body into v, a pointer to one of the SDK's structs. Members
// the schema does not know are ignored, as AWS ignores them; a member of the
// wrong type is a SerializationException.
func Unmarshal(schema *smithy.Schema, body []byte, v any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	return decodeStruct(schema, body, reflect.Indirect(reflect.ValueOf(v)))
}

// Field is the field of a struct that holds a schema's member.
func Field(v reflect.Value, member string) reflect.Value {
	r, n := utf8.DecodeRuneInString(member)
	return v.FieldByName(string(unicode.ToUpper(r)) + member[n:])
}

// bound reports whether a member travels outside the body.
func bound(m *smithy.Schema) bool {
	if _, ok := smithy.SchemaTrait[*traits.HTTPLabel](m); ok {
		return true
	}
	if _, ok := smithy.SchemaTrait[*traits.HTTPQuery](m); ok {
		return true
	}
	if _, ok := smithy.SchemaTrait[*traits.HTTPHeader](m); ok {
		return true
	}
	_, ok := smithy.SchemaTrait[*traits.HTTPResponseCode](m)
	return ok
}

func encodeStruct(schema *smithy.Schema, v reflect.Value, top bool) map[string]any {
	out := make(map[string]any, len(schema.Members()))
	for name, m := range schema.Members() {
		if top && bound(m) {
			continue
		}
		f := Field(v, name)
		if !f.IsValid() {
			continue
		}
		if x, ok := encode(m, f); ok {
			out[name] = x
		}
	}
	return out
}

func encode(schema *smithy.Schema, v reflect.Value) (any, bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, false
		}
		return encode(schema, v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)), true
		}
		return encodeStruct(schema, v, false), true
	case reflect.Slice:
		if v.IsNil() {
			return nil, false
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return base64.StdEncoding.EncodeToString(v.Bytes()), true
		}
		list := make([]any, 0, v.Len())
		for i := range v.Len() {
			x, _ := encode(schema.ListMember(), v.Index(i))
			list = append(list, x)
		}
		return list, true
	case reflect.Map:
		if v.IsNil() {
			return nil, false
		}
		m := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			x, _ := encode(schema.MapValue(), it.Value())
			m[it.Key().String()] = x
		}
		return m, true
	case reflect.String:
		// An empty enum is the SDK's nil; an empty string is behind a pointer.
		if v.String() == "" && v.Type() != reflect.TypeFor[string]() {
			return nil, false
		}
		return v.String(), true
	}
	return v.Interface(), true
}

func serialization(format string, args ...any) error {
	return Errorf(400, "SerializationException", format, args...)
}

func decodeStruct(schema *smithy.Schema, body []byte, v reflect.Value) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(body, &raw); err != nil {
		return serialization("The request body is not a JSON object that fits %s.", schema.ID().Name)
	}
	for name, m := range schema.Members() {
		b, ok := raw[name]
		if !ok || string(b) == "null" {
			continue
		}
		f := Field(v, name)
		if !f.IsValid() {
			continue
		}
		if err := decode(m, name, b, f); err != nil {
			return err
		}
	}
	return nil
}

func decode(schema *smithy.Schema, name string, body []byte, v reflect.Value) error {
	wrong := func(want string) error {
		return serialization("The value of %s can not be converted to %s", name, want)
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := decode(schema, name, body, p.Elem()); err != nil {
			return err
		}
		v.Set(p)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			var seconds float64
			if json.Unmarshal(body, &seconds) != nil {
				return wrong("a Timestamp")
			}
			whole, frac := math.Modf(seconds)
			v.Set(reflect.ValueOf(time.Unix(int64(whole), int64(frac*1e9)).UTC()))
			return nil
		}
		return decodeStruct(schema, body, v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			var b []byte
			if json.Unmarshal(body, &b) != nil {
				return wrong("a Blob")
			}
			v.SetBytes(b)
			return nil
		}
		var raw []json.RawMessage
		if json.Unmarshal(body, &raw) != nil {
			return wrong("a List")
		}
		list := reflect.MakeSlice(v.Type(), len(raw), len(raw))
		for i, b := range raw {
			if err := decode(schema.ListMember(), name, b, list.Index(i)); err != nil {
				return err
			}
		}
		v.Set(list)
	case reflect.Map:
		var raw map[string]json.RawMessage
		if json.Unmarshal(body, &raw) != nil {
			return wrong("a Map")
		}
		m := reflect.MakeMapWithSize(v.Type(), len(raw))
		for k, b := range raw {
			x := reflect.New(v.Type().Elem()).Elem()
			if err := decode(schema.MapValue(), name, b, x); err != nil {
				return err
			}
			m.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), x)
		}
		v.Set(m)
	case reflect.Interface:
		return nil // unions and streams: no operation of this account reads one
	case reflect.String:
		var s string
		if json.Unmarshal(body, &s) != nil {
			return wrong("a String")
		}
		v.SetString(s)
	case reflect.Bool:
		var b bool
		if json.Unmarshal(body, &b) != nil {
			return wrong("a Boolean")
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		var n float64
		if json.Unmarshal(body, &n) != nil || n != math.Trunc(n) || v.OverflowInt(int64(n)) {
			return wrong("an Integer")
		}
		v.SetInt(int64(n))
	case reflect.Float32, reflect.Float64:
		var n float64
		if json.Unmarshal(body, &n) != nil {
			return wrong("a Double")
		}
		v.SetFloat(n)
	default:
		return wrong(v.Kind().String())
	}
	return nil
}

// SetText sets a field from a path label, query parameter or header.
func SetText(name, text string, v reflect.Value) error {
	wrong := func(want string) error {
		return serialization("The value of %s can not be converted to %s", name, want)
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		if err := SetText(name, text, p.Elem()); err != nil {
			return err
		}
		v.Set(p)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return wrong("a Boolean")
		}
		v.SetBool(b)
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return wrong("an Integer")
		}
		v.SetInt(n)
	case reflect.Struct:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return wrong("a Timestamp")
		}
		v.Set(reflect.ValueOf(t))
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.ValueOf(text).Convert(v.Type().Elem())))
	}
	return nil
}
