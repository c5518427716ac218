package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/vrrp"
)

// What is said of a virtual router on a machine that has these addresses on eth0
// and eth1.
func TestWhereAVirtualAddressBelongs(t *testing.T) {
	eth1 := on("eth1", "192.168.1.251/24")
	eth0 := append(on("eth0", "10.13.0.15/24", "fe80::15/64"), eth1...)
	const (
		own       = "error: The director's own address"
		none      = "error: No address of its own"
		network   = "warning: Address of no network"
		elsewhere = "warning: Address of another network"
		adverts   = "warning: Adverts on another network"
		beyond    = "warning: Peer beyond a router"
		source    = "warning: Source on another interface"
	)
	for _, tt := range []struct {
		name, text string
		here       []vrrp.InterfaceAddress
		want       string
	}{
		{"in the network of its interface", `addresses = ["10.13.0.200/24"]`, eth0, ""},
		{"the director's own one, by mistake", `addresses = ["10.13.0.15/24"]`, eth0, own},
		{"with another prefix length", `addresses = ["10.13.0.15"]`, eth0, own},
		{"beside another one", `addresses = ["10.13.0.200/24", "10.13.0.15/24"]`, eth0, own},
		{"an IPv6 one", `addresses = ["fe80::15/64"]`, eth0, own},
		{"the owner's", "addresses = [\"10.13.0.15/24\"]\npriority = 255", eth0, ""},
		{"while the source is another one", "addresses = [\"10.13.0.15/24\"]\nsource = \"10.13.0.17\"", append(on("eth0", "10.13.0.17/24"), eth0...), ""},
		{"one of two that the director has", `addresses = ["10.13.0.15/24"]`, append(on("eth0", "10.13.0.17/24"), eth0...), ""},
		{"all that a Master has", `addresses = ["10.13.0.200/24", "10.13.0.15/24"]`, append(on("eth0", "10.13.0.200/24"), eth0...), none},
		{"on an interface that has none yet", `addresses = ["10.13.0.200/24"]`, eth1, ""},
		{"on a machine of which nothing is known", `addresses = ["10.13.0.15/24"]`, nil, ""},
		{"with two digits exchanged", `addresses = ["10.31.0.200/24"]`, eth0, network},
		{"that is routed to the directors", `addresses = ["198.51.100.1"]`, eth0, ""},
		{"of the inside network", `addresses = ["192.168.1.254/24"]`, eth0, adverts},
		{"of the inside network, without a prefix length", `addresses = ["192.168.1.254"]`, eth0, adverts},
		{"of the inside network, beside one of the outside", `addresses = ["10.13.0.200/24", "192.168.1.254/24"]`, eth0, elsewhere},
		{"an extra one in the network of its interface", "addresses = [\"10.13.0.200/24\"]\nextra_address \"192.168.1.254/24\" { interface = \"eth1\" }", eth0, ""},
		{"an extra one on the wrong interface", "addresses = [\"10.13.0.200/24\"]\nextra_address \"192.168.1.254/24\" {}", eth0, elsewhere},
		{"with a peer of its network", "addresses = [\"10.13.0.200/24\"]\npeers = [\"10.13.0.16\"]", eth0, ""},
		{"with a peer beyond a router", "addresses = [\"10.13.0.200/24\"]\npeers = [\"10.14.0.16\"]", eth0, beyond},
		{"with a peer beyond a router, as configured", "addresses = [\"10.13.0.200/24\"]\npeers = [\"10.14.0.16\"]\nmin_ttl = 254", eth0, ""},
		{"with a peer beyond a router, on an interface that has no address yet", "addresses = [\"10.13.0.200/24\"]\npeers = [\"10.14.0.16\"]", eth1, ""},
		{"whose source is on lo", "addresses = [\"10.13.0.200/24\"]\nsource = \"10.0.0.1\"", append(on("lo", "10.0.0.1/32"), eth0...), source},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range placed(t, tt.text, tt.here) {
				got = append(got, fmt.Sprintf("%s: %s", strings.ToLower(fmt.Sprint(d.Severity)), d.Summary))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
		})
	}
}

func placed(t *testing.T, text string, here []vrrp.InterfaceAddress) config.Diagnostics {
	t.Helper()
	s := config.SourcesOf(t, "virtual_router \"outside\" {\n  interface = \"eth0\"\n  id = 51\n"+text+"\n}\n")
	_, diags := config.ParseWith(s, options(), config.Machine{Addresses: here}, nil)
	return diags
}

// Whose address it is that a virtual router would give away, where the files are read
// in another way than by the director that runs.
func TestWhereTheDirectorsOwnAddressCounts(t *testing.T) {
	here := on("eth0", "10.13.0.15/24")
	const text = "virtual_router \"outside\" {\n  interface = \"eth0\"\n  id = 51\n  addresses = [\"10.13.0.15/24\"]\n}\n"
	for _, tt := range []struct {
		name, text     string
		machine        config.Machine
		refused, named bool
	}{
		{"on this director", text, config.Machine{Addresses: here}, true, false},
		{"at a start, where it may be what a daemon that crashed has left", text, config.Machine{Addresses: here, Whose: config.OfStart}, false, false},
		{"as a node that the host's name does not tell", text, config.Machine{Addresses: here, Whose: config.OfHost, Host: "vm17"}, true, false},
		{"as the other director", text + "# of lvs1 and lvs2", config.Machine{Addresses: here, Whose: config.OfHost, Host: "lvs1"}, false, true},
	} {
		out, diags := config.ParseWith(config.SourcesOf(t, tt.text), options(), tt.machine, nil)
		if diags.HasErrors() != tt.refused || out.NamesHost != tt.named {
			t.Errorf("%s: refused %v, names the host %v: %v", tt.name, diags.HasErrors(), out.NamesHost, diags)
		}
	}
}
