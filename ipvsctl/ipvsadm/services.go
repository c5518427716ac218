package ipvsadm

import (
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/ipvsctl"
)

// Services are the names of ports, as services(5) has them.
type Services struct {
	ports map[string]uint16 // by name and protocol: "http/tcp"
	names map[string]string // by port and protocol: "80/tcp"
}

// ParseServices reads the text of /etc/services. What cannot be understood is left out, and
// of several lines the first one counts, as in the C library.
func ParseServices(text string) Services {
	s := Services{ports: map[string]uint16{}, names: map[string]string{}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		digits, protocol, found := strings.Cut(fields[1], "/")
		port, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || !found {
			continue
		}
		key := strconv.FormatUint(port, 10) + "/" + protocol
		if _, known := s.names[key]; !known {
			s.names[key] = fields[0]
		}
		for i, name := range fields {
			key := name + "/" + protocol
			if _, known := s.ports[key]; i != 1 && !known {
				s.ports[key] = uint16(port)
			}
		}
	}
	return s
}

// Port returns the port of a service.
func (s Services) Port(name string, p ipvsctl.Protocol) (port uint16, ok bool) {
	port, ok = s.ports[name+"/"+p.String()]
	return port, ok
}

// Name returns the service of a port.
func (s Services) Name(port uint16, p ipvsctl.Protocol) (name string, ok bool) {
	name, ok = s.names[strconv.Itoa(int(port))+"/"+p.String()]
	return name, ok
}
