package switchover

import (
	"strings"

	"github.com/optlift/optlift/aws/emulator"
)

// mutating tells the calls that change the account's functions.
func mutating(r emulator.Record) bool {
	return r.Service == "lambda" && !strings.HasPrefix(r.Operation, "Get") && !strings.HasPrefix(r.Operation, "List")
}
