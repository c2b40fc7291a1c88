// Package localrun runs a function's image on this machine, in whatever container
// engine is there, against the runtime interface emulator that AWS's base images
// carry (https://github.com/aws/aws-lambda-runtime-interface-emulator).
//
// It starts other programs and talks to the one container that it started. It
// imports nothing of the house.
package localrun
