package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// The raw structs are the language: what a block may hold, by name. An
// argument is kept as HCL's attribute, an expression with its place in the
// file, until it is turned into a typed value; none outlives its block.

type rawFile struct {
	Directors []rawDirector `hcl:"director,block"`
	Routers   []rawRouter   `hcl:"virtual_router,block"`
	Services  []rawService  `hcl:"virtual_service,block"`
	// Locals are evaluated before everything else; the field makes the block
	// known, to the messages too.
	Locals []rawLocals `hcl:"locals,block"`
}

type rawLocals struct {
	Values hcl.Attributes `hcl:",remain"`
	Range  hcl.Range      `hcl:",def_range"`
}

type rawDirector struct {
	HTTP           *rawHTTP       `hcl:"http,block"`
	StartDelay     *hcl.Attribute `hcl:"start_delay"`
	ProbesInFlight *hcl.Attribute `hcl:"probes_in_flight"`
	ExclusiveTable *hcl.Attribute `hcl:"exclusive_table"`
	KeepTable      *hcl.Attribute `hcl:"keep_table"`
	Range          hcl.Range      `hcl:",def_range"`
}

type rawHTTP struct {
	Listen *hcl.Attribute `hcl:"listen"`
	Range  hcl.Range      `hcl:",def_range"`
}

type rawRouter struct {
	Name           string            `hcl:"name,label"`
	Interface      *hcl.Attribute    `hcl:"interface"`
	ID             *hcl.Attribute    `hcl:"id"`
	Version        *hcl.Attribute    `hcl:"version"`
	Priority       *hcl.Attribute    `hcl:"priority"`
	AdvertInterval *hcl.Attribute    `hcl:"advert_interval"`
	Preempt        *hcl.Attribute    `hcl:"preempt"`
	PreemptDelay   *hcl.Attribute    `hcl:"preempt_delay"`
	Addresses      *hcl.Attribute    `hcl:"addresses"`
	Extra          []rawExtraAddress `hcl:"extra_address,block"`
	Peers          *hcl.Attribute    `hcl:"peers"`
	Source         *hcl.Attribute    `hcl:"source"`
	Track          []rawTrack        `hcl:"track,block"`
	Lease          *hcl.Attribute    `hcl:"lease"`
	Range          hcl.Range         `hcl:",def_range"`
}

type rawExtraAddress struct {
	Address      string         `hcl:"address,label"`
	AddressRange hcl.Range      `hcl:"address,label_range"`
	Interface    *hcl.Attribute `hcl:"interface"`
}

type rawTrack struct {
	Kind      string    `hcl:"kind,label"`
	KindRange hcl.Range `hcl:"kind,label_range"`
	Name      string    `hcl:"name,label"`
	NameRange hcl.Range `hcl:"name,label_range"`
}

type rawService struct {
	Name           string          `hcl:"name,label"`
	Address        *hcl.Attribute  `hcl:"address"`
	Port           *hcl.Attribute  `hcl:"port"`
	Protocol       *hcl.Attribute  `hcl:"protocol"`
	FirewallMark   *hcl.Attribute  `hcl:"firewall_mark"`
	Family         *hcl.Attribute  `hcl:"family"`
	Scheduler      *hcl.Attribute  `hcl:"scheduler"`
	SchedulerFlags *hcl.Attribute  `hcl:"scheduler_flags"`
	Forward        *hcl.Attribute  `hcl:"forward"`
	Tunnel         *rawTunnel      `hcl:"tunnel,block"`
	OnePacket      *hcl.Attribute  `hcl:"one_packet"`
	Persistence    *rawPersistence `hcl:"persistence,block"`
	Initial        *hcl.Attribute  `hcl:"initial"`
	Checks         []rawCheck      `hcl:"check,block"`
	Servers        []rawServer     `hcl:"real_server,block"`
	Fallback       *rawFallback    `hcl:"fallback,block"`
	Range          hcl.Range       `hcl:",def_range"`
}

type rawPersistence struct {
	Timeout *hcl.Attribute `hcl:"timeout"`
	Netmask *hcl.Attribute `hcl:"netmask"`
	Engine  *hcl.Attribute `hcl:"engine"`
	Range   hcl.Range      `hcl:",def_range"`
}

type rawTunnel struct {
	Type     *hcl.Attribute `hcl:"type"`
	Port     *hcl.Attribute `hcl:"port"`
	Checksum *hcl.Attribute `hcl:"checksum"`
	Range    hcl.Range      `hcl:",def_range"`
}

type rawServer struct {
	Name           string         `hcl:"name,label"`
	NameRange      hcl.Range      `hcl:"name,label_range"`
	Address        *hcl.Attribute `hcl:"address"`
	Port           *hcl.Attribute `hcl:"port"`
	Weight         *hcl.Attribute `hcl:"weight"`
	UpperThreshold *hcl.Attribute `hcl:"upper_threshold"`
	LowerThreshold *hcl.Attribute `hcl:"lower_threshold"`
	Forward        *hcl.Attribute `hcl:"forward"`
	Tunnel         *rawTunnel     `hcl:"tunnel,block"`
	Initial        *hcl.Attribute `hcl:"initial"`
	Checks         []rawCheck     `hcl:"check,block"`
	Range          hcl.Range      `hcl:",def_range"`
}

type rawFallback struct {
	Address *hcl.Attribute `hcl:"address"`
	Port    *hcl.Attribute `hcl:"port"`
	Forward *hcl.Attribute `hcl:"forward"`
	Tunnel  *rawTunnel     `hcl:"tunnel,block"`
	Range   hcl.Range      `hcl:",def_range"`
}

type rawCheck struct {
	Kind      string         `hcl:"kind,label"`
	KindRange hcl.Range      `hcl:"kind,label_range"`
	Interval  *hcl.Attribute `hcl:"interval"`
	Timeout   *hcl.Attribute `hcl:"timeout"`
	Rise      *hcl.Attribute `hcl:"rise"`
	Fall      *hcl.Attribute `hcl:"fall"`
	Port      *hcl.Attribute `hcl:"port"`
	Method    *hcl.Attribute `hcl:"method"`
	Path      *hcl.Attribute `hcl:"path"`
	Host      *hcl.Attribute `hcl:"host"`
	Headers   *hcl.Attribute `hcl:"headers"`
	Expect    *rawExpect     `hcl:"expect,block"`
	TLS       *rawTLS        `hcl:"tls,block"`
	Range     hcl.Range      `hcl:",def_range"`
}

type rawExpect struct {
	Status *hcl.Attribute `hcl:"status"`
	Body   *hcl.Attribute `hcl:"body"`
	Range  hcl.Range      `hcl:",def_range"`
}

type rawTLS struct {
	ServerName *hcl.Attribute `hcl:"server_name"`
	CAFile     *hcl.Attribute `hcl:"ca_file"`
	Verify     *hcl.Attribute `hcl:"verify"`
	Range      hcl.Range      `hcl:",def_range"`
}

// topLevel stands for the block around all blocks.
const topLevel = "the top level of a file"

// language returns every argument and block that there is, by name, with the
// blocks that may hold it.
func language() map[string][]string {
	names := map[string][]string{}
	collect(reflect.TypeFor[rawFile](), topLevel, names)
	return names
}

func collect(t reflect.Type, owner string, names map[string][]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		if name == "" || kind != "" && kind != "block" {
			continue
		}
		if !slices.Contains(names[name], owner) {
			names[name] = append(names[name], owner)
		}
		if kind != "block" {
			continue
		}
		inner := f.Type
		for inner.Kind() != reflect.Struct {
			inner = inner.Elem()
		}
		collect(inner, name, names)
	}
}
