package functions

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/optlift/optlift/aws/emulator/objects"
	"github.com/optlift/optlift/aws/emulator/wire"
)

// held keeps every invocation until it is let go.
type held struct{ begun, release chan struct{} }

func (h held) Invoke(context.Context, wire.Invocation) wire.InvocationResult {
	h.begun <- struct{}{}
	<-h.release
	return wire.InvocationResult{Payload: []byte("1")}
}

func (held) Forget(string) {}

// Functions without a reservation share what the others leave of the account's
// pool (docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html).
func TestAccountPool(t *testing.T) {
	h := held{make(chan struct{}), make(chan struct{})}
	host := func() string { return "localhost" }
	s := New(Options{Objects: objects.New(host, []byte("k")), Invoker: h, Host: host, Now: time.Now})
	t.Cleanup(s.Close)
	c := wire.Call{Account: "123456789012", Region: "eu-central-1", Now: time.Now()}
	var code bytes.Buffer
	zw := zip.NewWriter(&code)
	if _, err := zw.Create("index.js"); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"f", "g", "reserved"} {
		if _, err := s.createFunction(t.Context(), c, &lambda.CreateFunctionInput{
			FunctionName: &name, Role: aws.String("arn:aws:iam::123456789012:role/r"), Handler: aws.String("index.handler"),
			Runtime: types.RuntimeNodejs22x, Code: &types.FunctionCode{ZipFile: code.Bytes()},
		}); err != nil {
			t.Fatal(err)
		}
	}
	s.Settle()
	const reserved = 900
	if _, err := s.putFunctionConcurrency(t.Context(), c, &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String("reserved"), ReservedConcurrentExecutions: aws.Int32(reserved)}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	invoke := func(name string) error {
		_, err := s.invoke(t.Context(), c, &lambda.InvokeInput{FunctionName: &name})
		return err
	}
	for i := range pool - reserved {
		name := []string{"f", "g"}[i%2]
		go func() { done <- invoke(name) }()
		<-h.begun
	}
	var refusal *wire.Error
	if err := invoke("f"); !errors.As(err, &refusal) || refusal.Status != 429 || refusal.Fields["Reason"] != string(types.ThrottleReasonConcurrentInvocationLimitExceeded) {
		t.Errorf("the pool is empty: %v", err)
	}
	go func() { done <- invoke("reserved") }() // has places of its own
	<-h.begun
	close(h.release)
	for range pool - reserved + 1 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	go func() { <-h.begun }()
	if err := invoke("f"); err != nil {
		t.Errorf("the pool is free again: %v", err)
	}
}
