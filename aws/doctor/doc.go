// Package doctor checks what the program stands on: credentials, region, clock,
// rights, registries and disk. It changes nothing in the account, and leaves
// nothing on the disk.
//
// It imports aws/session, aws/registry and build/image.
package doctor
