// Command optlift audits the layers of AWS Lambda functions and moves functions
// that outgrow them to container images.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], systemStreams()))
}
