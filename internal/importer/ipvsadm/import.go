// Package ipvsadm makes lvsd's configuration of tables that ipvsadm has saved, and of
// scripts with its command lines.
package ipvsadm

import (
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// made is what was made of command lines so far.
type made struct {
	importer.Result
	services []*service
	by       map[ipvsctl.ServiceKey]*service
	director *importer.Block
	// branches: what follows may be for another case than what was before.
	branches bool
	// constants are the variables of a script, by their names; empty: it has no constant value.
	constants map[string]string
	expanded  int // bytes that they have made of lines
}

// readTable makes the table that the commands in a text make.
func readTable(file string, text []byte, names ipvsadm.Names) (*made, error) {
	if err := bounds(file, string(text)); err != nil {
		return nil, err
	}
	m := &made{by: map[ipvsctl.ServiceKey]*service{}, constants: map[string]string{}}
	for _, c := range m.read(file, string(text)) {
		m.apply(c, names)
	}
	return m, nil
}

// Import makes lvsd's configuration of a text, as the commands in it would make a table.
// Names are those of hosts and ports.
func Import(file string, text []byte, names ipvsadm.Names) (importer.Result, error) {
	m, err := readTable(file, text, names)
	if err != nil {
		return importer.Result{}, err
	}
	if m.director != nil {
		m.Blocks = append(m.Blocks, m.director)
	}
	for _, s := range m.services {
		if m.by[s.key] == s {
			m.confine(s)
			m.Blocks = append(m.Blocks, s.block())
		}
	}
	if len(m.services) > 0 {
		m.lose(m.services[0].from[0], importer.Note, m.services[0].name(), "ipvsadm checks no real server, and check \"none\" in each virtual_service says so", `Write check "tcp" {} in its place, or another kind.`)
	}
	return m.Result, nil
}

// confine takes out of a service what lvsd does not have.
func (m *made) confine(s *service) {
	at := s.from[0]
	if s.config.Engine != "" && (s.key.Mark != 0 || s.key.Protocol != ipvsctl.UDP) {
		m.lose(at, importer.Lost, "--pe "+s.config.Engine, "lvsd has it for a service of UDP alone", "")
		s.config.Engine = ""
	}
	if hashes := s.config.Scheduler == "sh" || s.config.Scheduler == "mh"; hashes && s.config.Flags&ipvsctl.Sched3 != 0 {
		m.lose(at, importer.Note, "flag-3", "the scheduler "+s.config.Scheduler+" has no third flag", "")
		s.config.Flags &^= ipvsctl.Sched3
	}
	seen := map[ipvsctl.DestinationKey]bool{}
	s.servers = slices.DeleteFunc(s.servers, func(d *server) bool {
		row := d.key.String()
		if d.dest.Forward != ipvsctl.NAT && d.key.Port != s.key.Port {
			m.lose(d.from[0], importer.Note, row, "without NAT, packets keep the port of the service", "")
			d.key.Port = s.key.Port
		}
		again := seen[d.key]
		if again {
			m.lose(d.from[0], importer.Differs, row, "the real server is there already, with a port that packets keep", "Give the first one a higher weight.")
		}
		seen[d.key] = true
		return again
	})
}

// maxShown bounds how much of a line is told.
const maxShown = 300

func (m *made) lose(at importer.Place, kind importer.Kind, text, reason, remedy string) {
	text = strings.ToValidUTF8(text[:min(len(text), maxShown)], "�")
	m.Losses = append(m.Losses, importer.Loss{Place: at, Kind: kind, Text: text, Reason: reason, Remedy: remedy})
}

// apply does what a command would do to the table.
func (m *made) apply(c command, names ipvsadm.Names) {
	cmd, err := ipvsadm.Parse(c.args, names)
	if err != nil {
		m.lose(c.Place, importer.Lost, c.text, "ipvsadm would refuse it: "+err.Error(), "")
		return
	}
	if deletes := cmd.Verb == ipvsadm.Clear || cmd.Verb == ipvsadm.DeleteService || cmd.Verb == ipvsadm.DeleteServer; deletes && m.branches {
		m.note(c, "it may be for another case than what was added before, such as the stop of a script, so it deletes nothing here")
		return
	}
	switch cmd.Verb {
	case ipvsadm.AddService, ipvsadm.EditService, ipvsadm.DeleteService:
		m.service(c, cmd)
	case ipvsadm.AddServer, ipvsadm.EditServer, ipvsadm.DeleteServer:
		m.server(c, cmd)
	case ipvsadm.Clear:
		m.note(c, "lvsd corrects the table that it finds, and clears nothing")
		for _, s := range m.services {
			if m.by[s.key] == s {
				m.gone(s)
			}
		}
		clear(m.by)
	case ipvsadm.Set:
		m.timeouts(c, cmd.Timeouts)
	case ipvsadm.StartDaemon:
		m.lose(c.Place, importer.Lost, c.text, noRouter, syncRemedy)
	default:
		m.note(c, "it makes no table")
	}
}

func (m *made) note(c command, reason string) { m.lose(c.Place, importer.Note, c.text, reason, "") }

// gone tells of a service that is deleted further down, with its real servers.
func (m *made) gone(s *service) {
	m.deleted(s.name(), s.from)
	for _, d := range s.servers {
		m.deleted(d.key.String(), d.from)
	}
}

// deleted tells of a row that is deleted further down.
func (m *made) deleted(row string, from []importer.Place) {
	for _, at := range from {
		m.lose(at, importer.Note, row, "it is deleted again below", "")
	}
}

// refused tells of a command that the kernel would refuse.
func (m *made) refused(c command, reason string) {
	m.lose(c.Place, importer.Lost, c.text, reason+", so the kernel refuses it", "")
}

// service adds, changes or deletes a service.
func (m *made) service(c command, cmd ipvsadm.Command) {
	key := cmd.Op.Service
	s := m.by[key]
	if known := " rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos "; cmd.Verb != ipvsadm.DeleteService && !strings.Contains(known, " "+cmd.Op.Config.Scheduler+" ") {
		m.lose(c.Place, importer.Lost, c.text, "lvsd knows no scheduler of this name, so it is wlc here", "Choose one of"+known+"in the virtual_service.")
		cmd.Op.Config.Scheduler = "wlc"
	}
	if cmd.Op.Config.Netmask == ipvsctl.NotAPrefix && cmd.Verb != ipvsadm.DeleteService {
		m.lose(c.Place, importer.Lost, c.text, "the mask has holes, and lvsd groups clients by networks", `Write netmask = "255.255.255.0" in the persistence block.`)
	}
	if cmd.Op.Config.Flags&ipvsctl.Persistent > 0 && cmd.Op.Config.Netmask == 0 && cmd.Verb != ipvsadm.DeleteService {
		m.lose(c.Place, importer.Lost, c.text, "the mask makes all clients one, and lvsd groups clients by networks", `Write netmask = "1" in the persistence block for two groups of clients.`)
		cmd.Op.Config.Netmask = uint8(key.Addr.BitLen())
	}
	switch {
	case key.Mark == 0 && key.Addr.IsUnspecified():
		m.refused(c, "no packet has the address "+key.Addr.String())
	case cmd.Verb == ipvsadm.AddService && s != nil:
		m.refused(c, "the service is there already")
	case cmd.Verb == ipvsadm.AddService:
		s = &service{key: key, config: cmd.Op.Config, by: map[ipvsctl.DestinationKey]*server{}}
		m.by[key] = s
		m.services = append(m.services, s)
		s.learn(c)
	case s == nil:
		m.refused(c, "there is no such service")
	case cmd.Verb == ipvsadm.DeleteService:
		m.note(c, "what it deletes was added above, and is left out")
		m.gone(s)
		delete(m.by, key)
	default:
		s.config = cmd.Op.Config
		s.learn(c)
	}
}

// server adds, changes or deletes a real server.
func (m *made) server(c command, cmd ipvsadm.Command) {
	s := m.by[cmd.Op.Service]
	if s == nil {
		m.refused(c, "there is no such service")
		return
	}
	if cmd.Verb != ipvsadm.DeleteServer && cmd.Op.Dest.Lower > cmd.Op.Dest.Upper {
		m.lose(c.Place, importer.Lost, c.text, "the lower threshold is above the upper one, so a full server would get connections at once", "Write upper_threshold as well in the real_server.")
	}
	d := s.by[cmd.Op.Destination]
	switch {
	case cmd.Op.Destination.Addr.IsUnspecified():
		m.refused(c, "no packet has the address "+cmd.Op.Destination.Addr.String())
	case cmd.Verb == ipvsadm.AddServer && d != nil:
		m.refused(c, "the real server is there already")
	case cmd.Verb == ipvsadm.AddServer:
		s.add(&server{key: cmd.Op.Destination, dest: cmd.Op.Dest, from: []importer.Place{c.Place}, comment: c.comment})
	case d == nil:
		m.refused(c, "there is no such real server")
	case cmd.Verb == ipvsadm.DeleteServer:
		m.note(c, "what it deletes was added above, and is left out")
		m.deleted(d.key.String(), d.from)
		s.remove(d)
	default:
		d.dest, d.from = cmd.Op.Dest, append(d.from, c.Place)
	}
}

// timeouts sets the timeouts of IPVS; 0 leaves one as it is.
func (m *made) timeouts(c command, t ipvsctl.Timeouts) {
	if m.director == nil {
		m.director = importer.NewBlock("director")
	}
	b := m.director.One("ipvs").Of(c.Place).Note(c.comment...)
	for _, o := range [...]struct {
		name    string
		seconds uint32
	}{{"tcp_timeout", t.TCP}, {"tcp_fin_timeout", t.TCPFin}, {"udp_timeout", t.UDP}} {
		if o.seconds > 0 {
			b.Set(o.name, importer.Duration(time.Duration(o.seconds)*time.Second), c.Place)
		}
	}
}
