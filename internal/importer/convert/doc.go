// Package convert reads other programs' configurations on this machine, has the importers
// make lvsd's of them, validates that, and writes it, or compares it with what the other
// program makes of its own.
//
// Every file uses only files that come before it in this list:
//
//	request.go              what is to be imported, and the files of this machine
//	template.go             templates, which are not
//	keepalived.go           the programs, each with its files
//	ldirectord.go
//	ipvsadm.go, heartbeat.go
//	convert.go              Read, and what becomes of it
//	compare.go              Compared
package convert
