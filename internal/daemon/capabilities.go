package daemon

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// capabilities are those without which the daemon can do nothing.
var capabilities = [...]struct {
	name string
	bit  uint
}{{"NET_ADMIN", unix.CAP_NET_ADMIN}, {"NET_RAW", unix.CAP_NET_RAW}}

// capable returns an error if this process lacks a capability that it needs. It
// would end at some file of root's otherwise, with a message about that.
func capable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("reading the capabilities of this process: %w", err)
	}
	return lacking(data[0].Effective)
}

// lacking returns an error that names the missing ones, if any is.
func lacking(effective uint32) error {
	var missing []string
	for _, c := range capabilities {
		if effective&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("lvsd run needs the capabilities NET_ADMIN and NET_RAW, and lacks %s: run it as root, or by \"systemctl start lvsd\"",
		strings.Join(missing, " and "))
}
