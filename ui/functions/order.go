package functions

import (
	"cmp"
	"slices"
	"strings"

	"github.com/optlift/optlift/ui/inventory"
)

// order sorts rows by a column; rows without a value come last either way, and
// equal ones are in the order of their names.
func order(rows []*inventory.Row, by column, desc bool) {
	compare := func(a, b *inventory.Row) (c int, last bool) {
		if by.number == nil {
			x, y := by.text(a), by.text(b)
			if (x == "") != (y == "") {
				return cmp.Compare(len(y), len(x)), true
			}
			return strings.Compare(x, y), false
		}
		x, xok := by.number(a)
		y, yok := by.number(b)
		if xok != yok {
			if xok {
				return -1, true
			}
			return 1, true
		}
		return cmp.Compare(x, y), false
	}
	slices.SortFunc(rows, func(a, b *inventory.Row) int {
		c, last := compare(a, b)
		if desc && !last {
			c = -c
		}
		if c == 0 {
			c = strings.Compare(a.Name, b.Name)
		}
		if c == 0 {
			c = strings.Compare(a.ARN, b.ARN)
		}
		return c
	})
}
