// Package filter is the language of the filter line, for the screen and for
// commands alike. Terms are separated by spaces and must all hold:
//
//	word            the row's text contains it (letters' case does not matter)
//	!term           the term does not hold
//	/regex/         the row's text matches the regular expression
//	~word           the row's name holds the letters in this order (fuzzy)
//	column:word     the column contains it
//	column=word     the column is exactly it
//	column>number   also >=, <, <=, =; sizes take KB, MB, GB (powers of 1024)
//	"two words"     a word with spaces
//	@name           a saved filter, where there are any
//
// A number that is not known fulfils no comparison, nor its negation:
// "size:unknown" finds those rows, "size:none" those that have no such number.
//
// It imports no terminal library.
package filter
