// Package importer has what is made of other programs' configurations: blocks of lvsd's
// language, each with what it was made of, and what did not come along.
//
// Every file uses only files that come before it in this list:
//
//	loss.go             places, and what did not come along
//	value.go, block.go  expressions, and the blocks that have them
//	write.go            blocks as text
//	plain.go            blocks without what need not be said
//	repeated.go         real servers that repeat, as one block
//	common.go           what repeats in checks, said once
//	merge.go            several directors' as one
//	split.go            blocks in files
//	outline.go          what a configuration makes, in rows
package importer
