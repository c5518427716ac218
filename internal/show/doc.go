// Package show prints the daemon's answers for people, as tables that fit their
// terminal. All text passes through text.Printable, so that it cannot contain
// control sequences for the terminal.
//
// Every file uses only files that come before it in this list:
//
//	units.go, table.go        figures and columns
//	services.go, status.go    the state
//	select.go                 parts of it
//	vrrp.go                   all about virtual routers
//	explained.go              what checks see
//	plan.go                   what a reload would change
//	whatif.go                 what would be if real servers were down
//	history.go                configurations that ran before
//	realserver.go             this machine as a real server
//	checkup.go                what lvsd doctor has examined
//	imported.go, compared.go  what did not come along of another configuration, and both beside each other
//	reload.go, orders.go      what a reload did, or another order
package show
