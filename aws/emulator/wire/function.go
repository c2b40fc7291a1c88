package wire

import (
	"io"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Image is an image reference that Lambda has accepted.
type Image struct {
	URI      string // as the client gave it
	Resolved string // the same repository, pinned: "HOST/NAME@sha256:…"
	Digest   string // of the manifest, "sha256:…"
}

// Zip is a code or layer archive. Reader is safe for concurrent use and its
// bytes never change.
type Zip struct {
	SHA256 string // hex
	Size   int64
	Reader io.ReaderAt
}

// Invocation asks for one run of a function, synchronously; the server handles
// the invocation types, qualifiers and states.
type Invocation struct {
	Call Call
	// Environment identifies the execution environment: two invocations with the
	// same value run the same code and configuration and may share a warm one.
	Environment string
	// Function is the version's configuration, Environment.Variables included.
	Function types.FunctionConfiguration
	// ARN is the invoked ARN, with the qualifier the client used.
	ARN string
	// Code and Layers (in order) are set for package type Zip, Image for Image.
	Code          *Zip
	Layers        []Zip
	Image         *Image
	Payload       []byte // a JSON text; "" counts as {}
	ClientContext []byte // JSON text; nil when there was none
}

// InvocationResult is what came of it.
type InvocationResult struct {
	Payload []byte // JSON text: the result, or the error object
	// FunctionError is "Unhandled" or "Handled" when the function failed, else "".
	FunctionError string
	// NotRun says that and why this account can't run the function; "" is that it
	// can. The payload tells it to the client.
	NotRun string
	// Log is the whole log: START, what the function wrote, END, REPORT. The
	// server cuts the tail of 4 KB that LogType Tail asks for.
	Log []byte
	// Err is set when Lambda itself refuses, such as an InvalidRuntimeException;
	// it is answered as that error.
	Err *Error
}
