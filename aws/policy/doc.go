// Package policy knows every call that the program makes to AWS, in one table, and
// writes the IAM policies that allow them and nothing else. Tests hold the table
// against the guard of read-only sessions, against what an embedded account
// records of real runs, and against the lists in the README.
//
// It imports no other room.
package policy
