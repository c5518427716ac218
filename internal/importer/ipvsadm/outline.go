package ipvsadm

import (
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// Outline returns the table that the commands in a text make.
func Outline(file string, text []byte, names ipvsadm.Names) (out importer.Outline, err error) {
	m, err := readTable(file, text, names)
	if err != nil {
		return nil, err
	}
	for _, s := range m.services {
		if m.by[s.key] != s {
			continue
		}
		out.Service(s.from[0], "", s.key, s.config)
		for _, d := range s.servers {
			out.Server(d.from[0], "", s.key, d.key, d.dest)
		}
	}
	return out, nil
}
