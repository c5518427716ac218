// Package importer has what is made of other programs' configurations: blocks of lvsd's
// language, each with what it was made of, and what did not come along.
package importer
