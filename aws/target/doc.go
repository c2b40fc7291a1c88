// Package target turns what a user names, a function, a layer version ARN or a
// local zip, into the archives it stands for, in merge order, and reads files
// out of them: by path, or unpacked into a directory.
//
// Local zips need no account, configuration or network.
package target
