// Package migrate is the screen on which a function is switched to a container
// image: first the plan with all that speaks against it, then, once the session
// is armed and the function's name is typed, the steps as they run, and how it
// ended. Going on with a journal and rolling one back run on it too.
package migrate
