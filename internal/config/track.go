package config

import (
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// trackKinds are the kinds of tracks. A new one is a file with its options and
// its function, and a line here.
var trackKinds = block.NewKinds("track", trackInterface)

var trackInterface = block.Kind[func(*block.Body, *vrrp.Config)]{
	Name: "interface", Help: "Fails while the interface does not exist, is down or has no carrier.",
	Schema: trackInterfaceTable.Schema,
	Decode: readTrackInterface,
}

var trackInterfaceTable = block.NewTable[struct{}]("track")

func readTrackInterface(b *block.Body, c *vrrp.Config) {
	trackInterfaceTable.Decode(b, &struct{}{})
	name, _ := networkInterface(b, b.Labels[1], b.LabelAt(1))
	if !track(c, name) {
		b.Mistake(b.LabelAt(1), "Duplicate track", "Interface %s is already tracked: remove one of the two.", name)
	}
}

// track lets a router track an interface, and reports whether it did not already.
func track(c *vrrp.Config, name string) (added bool) {
	condition := "interface " + name
	if slices.Contains(c.Track, condition) {
		return false
	}
	c.Track = append(c.Track, condition)
	return true
}

// readTracks reads what a router tracks.
func readTracks(b *block.Body, c *vrrp.Config) {
	for inner := range b.Blocks("track") {
		if read, known := trackKinds.Of(inner); known {
			read(inner, c)
		}
	}
}

// networkInterface checks the name of a network interface. The kernel takes up
// to 15 bytes, without space and slash.
func networkInterface(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || len(s) > 15 || strings.ContainsAny(s, " \t\n/:") || s == "." || s == ".." {
		b.Mistake(at, "Invalid interface", "%q can't be the name of a network interface: `ip link` lists those of this machine.", s)
		return "", false
	}
	claim(b, interfaceName, s, at)
	return s, true
}
