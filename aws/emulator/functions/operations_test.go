package functions

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/optlift/optlift/aws/emulator/objects"
)

// Every operation of the SDK's client is here, or is refused by its name.
func TestEveryOperation(t *testing.T) {
	host := func() string { return "localhost" }
	s := New(Options{Objects: objects.New(host, []byte("k")), Host: host})
	t.Cleanup(s.Close)
	known := map[string]bool{}
	for _, op := range s.Operations() {
		known[op.Name()] = true
	}
	for _, schema := range Absent() {
		if name := schema.ID().Name; known[name] {
			t.Errorf("%s is here and not", name)
		} else {
			known[name] = true
		}
	}
	client, operations := reflect.TypeFor[*lambda.Client](), 0
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 { // the client, a context, an input, options
			continue
		}
		if operations++; !known[m.Name] {
			t.Errorf("%s is neither here nor absent", m.Name)
		}
	}
	if operations != len(known) {
		t.Errorf("the client has %d operations, the account knows %d", operations, len(known))
	}
}
