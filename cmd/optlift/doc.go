package main

// The command line: flags, one file per command, wiring. What a command does
// lives in the rooms below; here is only which room is asked, in what order,
// and how its answer is printed. Output for people goes to a terminal, output
// for programs into a pipe; progress goes to standard error, and only when that
// is a terminal.
