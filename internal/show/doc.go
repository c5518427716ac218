// Package show prints the daemon's answers for people, as tables that fit their
// terminal. All text passes through text.Printable, so that it cannot contain
// control sequences for the terminal.
package show
