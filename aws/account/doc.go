// Package account reads what an AWS account holds: its functions through all
// pages and regions, their layer versions, and, from the archives' central
// directories, what each weighs unzipped, which extensions it carries and what
// is wrong with it.
//
// It reads only. It imports aws/session, aws/archive and the build rooms.
package account
