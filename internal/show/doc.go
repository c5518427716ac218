// Package show prints the daemon's answers for people, as tables that fit their
// terminal. Nothing that it prints can steer one: every text passes through
// text.Printable.
package show
