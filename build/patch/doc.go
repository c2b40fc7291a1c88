// Package patch changes the code that others keep a function in, so that the
// function is a container image there as well: a CloudFormation or SAM template
// (YAML or JSON) or Terraform's configuration. Nothing but the function's own
// properties is touched: comments, order and layout stay. What it can't change for
// certain it refuses, or tells in notes.
//
// It reads and writes texts only; it knows no API and no terminal.
package patch
