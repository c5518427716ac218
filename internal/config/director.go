package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsd/lvsd/checker"
)

// defaultDirector is the director whose block is absent or empty.
func defaultDirector() Director {
	return Director{
		StartDelay:     10 * time.Second,
		ProbesInFlight: checker.DefaultInFlight,
		KeepTable:      true,
	}
}

func (d *decoder) director(r *rawDirector) {
	d.claim(directorBlock, "block", r.Range)
	def := defaultDirector()
	out := def
	out.StartDelay = d.duration(r.StartDelay, def.StartDelay, 0, time.Hour)
	out.ProbesInFlight = int(d.count(r.ProbesInFlight, int64(def.ProbesInFlight), 1, 65536))
	out.ExclusiveTable = d.flag(r.ExclusiveTable, def.ExclusiveTable)
	out.KeepTable = d.flag(r.KeepTable, def.KeepTable)
	if r.HTTP != nil {
		out.HTTPListen = d.listen(r.HTTP)
	}
	d.directors = append(d.directors, out)
}

// listen reads the address of the HTTP server: "127.0.0.1:9112", "[::1]:9112",
// or ":9112" for every address of this machine.
func (d *decoder) listen(r *rawHTTP) string {
	d.require(r.Listen, r.Range, "listen", `listen = "127.0.0.1:9112"`)
	s, ok := d.text(r.Listen)
	if !ok {
		return ""
	}
	if rest, every := strings.CutPrefix(s, ":"); every {
		if n, err := strconv.ParseUint(rest, 10, 16); err == nil && n > 0 {
			return s
		}
	}
	if ap, err := netip.ParseAddrPort(s); err == nil && ap.Port() > 0 {
		return s
	}
	d.mistake(r.Listen.Expr.Range(), "Invalid listen",
		"%q is no address with a port: write \"127.0.0.1:9112\", \"[::1]:9112\", or \":9112\" for every address.", s)
	return ""
}

// position prints where a range begins: "web.hcl:12".
func position(r hcl.Range) string {
	return r.Filename + ":" + strconv.Itoa(r.Start.Line)
}
