// Package upkeep looks after functions that were migrated: what each one stands
// on today, and whether it is time for a new image.
//
//   - Status reads, for every function that carries our tag or whose image one of
//     our journals made: the base image and whether there is a newer one, whether
//     ECR still has the function's image and will keep it, and whether the way
//     back is still there.
//   - Changes says what a refresh would make anew: a base with another digest,
//     other code, other layers. The refresh itself is switchover's.
//
// "None", "not allowed to look" and "could not look" are three answers. It only
// reads. It imports aws/session, aws/registry, aws/switchover and build/image.
package upkeep
