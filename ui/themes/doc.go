// Package themes is the screen on which a theme is chosen: the whole program is
// drawn in the selected one at once.
package themes
