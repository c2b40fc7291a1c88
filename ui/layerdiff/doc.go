// Package layerdiff shows what sets two layer versions apart, or two functions or
// local zips: the files and the packages that were added, removed or changed, and
// each changed file side by side. It shows what build/difference finds, as the
// diff command prints it.
package layerdiff
