// Package fleet switches many functions as one.
//
//   - Plan makes the plan of each function (package switchover) and says what
//     stands against which: blocked functions are left alone, warnings need a
//     word of the user's.
//   - Run goes through the functions in waves. A wave begins only when every
//     function of the ones before was switched; after the first failure nothing
//     new begins, and what runs is finished. Images are built one at a time, into
//     one repository, so that layers which functions share are converted and sent
//     once.
//   - Resume goes on, and Rollback takes everything back, from the journal that
//     Run keeps.
//
// Every function keeps a journal and a backup of its own, which names the fleet
// in its first line; the fleet's journal adds the plan and how each one ended. A
// function that changes between plan and run is noticed and left alone.
//
// Plans, journals, events and reports hold no secret. The package imports
// aws/session, aws/switchover and build/layer.
package fleet
