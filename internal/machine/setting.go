package machine

import (
	"bytes"
	"os"
	"strings"
)

// A Setting is a parameter of the kernel, by its name in sysctl(8).
type Setting string

// ExpireNodest is whether the kernel forgets a connection whose real server is
// no longer in the IPVS table: "1" at its next packet, "0" only when it has timed
// out, and until then its packets are dropped
// (linux/Documentation/networking/ipvs-sysctl.rst).
const ExpireNodest Setting = "net.ipv4.vs.expire_nodest_conn"

// settings are those that lvsd reads. Those of IPVS belong to the network
// namespace, and do not exist before the module is loaded.
var settings = []Setting{ExpireNodest}

// path returns the file in which the kernel shows the setting.
func (s Setting) path() string { return "/proc/sys/" + strings.ReplaceAll(string(s), ".", "/") }

// Set gives the setting a value. An error names the file: it does not exist,
// /proc/sys is read-only, as in many containers, or CAP_NET_ADMIN is missing.
func (s Setting) Set(value string) error { return os.WriteFile(s.path(), []byte(value), 0) }

// readSettings returns the values of the settings that this kernel has.
func readSettings() map[Setting]string {
	all := make(map[Setting]string, len(settings))
	for _, s := range settings {
		if text, err := os.ReadFile(s.path()); err == nil {
			all[s] = string(bytes.TrimSpace(text))
		}
	}
	return all
}
