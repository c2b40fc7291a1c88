// Package bases makes stand-ins for AWS's base images: the real ones' image
// configuration and layout of directories, a few KiB each and the same bytes on
// every start. They carry no language runtime; the embedded account recognises
// their bootstrap and runs handlers itself.
package bases
