// Package changes lists what other layers would mean for a function: what they
// come to, what Lambda would refuse, and every path that would be another.
package changes
