// Package awscli spells calls as AWS CLI command lines, quoted for a shell, so
// that what a screen shows can be asked again without this program.
package awscli
