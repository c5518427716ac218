package keepalived

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// many are lines with so many addresses.
func many(n int) (lines string) {
	for i := range n {
		lines += fmt.Sprintf("fd00::%d\n", i+1)
	}
	return lines
}

// What was found in configurations that people have published, in other words.
func TestConfigurationsAsTheyAreFound(t *testing.T) {
	router := func(lines string) string {
		return "vrrp_instance a {\ninterface eth0\nvirtual_router_id 3\n" + lines + "\n}\n"
	}
	vip := "virtual_ipaddress {\n10.9.0.1/24\n}\n"
	for name, tt := range map[string]struct {
		conf   string
		want   []string // of the output
		not    []string
		losses []string // "3: lost: the beginning of the reason"
	}{
		"a route leads over the device of use_vmac, which is there only on the Master": {
			conf: router(vip + "use_vmac vrrp.7\nvirtual_routes {\n10.8.0.0/16 dev vrrp.7 src 10.9.0.1\n}\ntrack_interface {\nvrrp.7\neth0\n}"),
			want: []string{"interface = \"vrrp.7\"\n    source    = \"10.9.0.1\"\n    track     = false", `virtual_mac { device = "vrrp.7" }`}, not: []string{`track "interface"`},
		},
		"an address on the device of use_vmac is advertised": {
			conf: router("use_vmac\nvirtual_ipaddress {\n10.9.0.1/24 dev vrrp.3\n}"),
			want: []string{`addresses = ["10.9.0.1/24"]`}, not: []string{"extra_address"},
		},
		"one that is not advertised stays on the interface": {
			conf:   router("use_vmac\n" + vip + "virtual_ipaddress_excluded {\n10.9.0.2/24\nfe80::5/64\n10.7.0.1/24 dev eth1\n}"),
			want:   []string{`extra_address "10.9.0.2/24" {}`},
			losses: []string{"9: differs: keepalived has this address on the device of use_vmac"},
		},
		"adverts are of IPv6, although all addresses are on another interface": {
			conf:   router("version 3\nvirtual_ipaddress {\nfd00::5/64 dev eth1\n}"),
			want:   []string{`multicast_group = "ff02::12" # adverts are of IPv6`},
			losses: []string{"6: differs: keepalived advertises this address"},
		},
		"default6 is the default route of IPv6": {
			conf:   router(vip + "virtual_routes {\ndefault6 via fe80::1 dev eth1\ninet6 default dev eth2 metric 5\ndefault via 10.9.0.9\n2001:db8::/48 dev eth1 scope link\n}"),
			want:   []string{"route \"default\" {\n    via       = \"fe80::1\"", `route "::/0"`, `route "default" { via = "10.9.0.9" }`, `route "2001:db8::/48" { interface = "eth1" }`},
			losses: []string{"11: note: a route of IPv6 has no scope"},
		},
		"arguments without quotes are a user that there cannot be": {
			conf: router(vip + "notify_master /bin/bash /usr/local/bin/takeover 3\nnotify_backup /bin/echo backup\nnotify \"/bin/echo x\" nobody"),
			want: []string{`user = "nobody"`, `user = "backup"`}, not: []string{"bash"},
			losses: []string{`7: lost: without quotes around all of it, keepalived takes "/usr/local/bin/takeover" for the user`, "8: differs: without quotes around all of it, keepalived takes backup for the user"},
		},
		"arguments of a script without quotes are passed over": {
			conf: "vrrp_script up {\nscript /usr/bin/pgrep haproxy\nuser nobody\n}\n" + router(vip+"track_script {\nup\n}"),
			want: []string{`run  = ["/usr/bin/pgrep"]`, `user = "nobody"`}, not: []string{"haproxy"},
			losses: []string{"2: note: without quotes around all of it, keepalived passes over"},
		},
		"a program of a server has the same users": {
			conf: "virtual_server 10.9.0.1 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server 10.9.0.2 80 {\nnotify_down /bin/echo /bin/x\nnotify_up /bin/echo nobody\n}\n}\n",
			want: []string{`on "up"`}, not: []string{`on "down"`},
			losses: []string{`6: lost: without quotes around all of it, keepalived takes "/bin/x" for the user`},
		},
		"a second vrrp_instance has the addresses of the first one, to have another link watched": {
			conf: router("authentication {\nauth_type PASS\nauth_pass one\n}\n"+vip) +
				"vrrp_instance b {\ninterface eth1\nvirtual_router_id 4\nauthentication {\nauth_type PASS\nauth_pass two\n}\n" + vip + "}\nvrrp_sync_group g {\ngroup {\na\nb\n}\n}\n",
			want: []string{`virtual_router "a"`}, not: []string{`virtual_router "b"`, "sync_group"},
			losses: []string{"13: lost: the vrrp_instance a has its addresses", "21: lost: it belongs to vrrp_instance", "24: note: one vrrp_instance of it came along", "27: note: this vrrp_instance did not come along"},
		},
		"each network has the same link-local address": {
			conf: router("version 3\nvirtual_ipaddress {\nfe80::1/64\nfd00::1/64\n}") +
				"vrrp_instance b {\ninterface eth1\nvirtual_router_id 4\nversion 3\nvirtual_ipaddress {\nfe80::1/64\nfd00:1::1/64\n}\n}\n",
			want:   []string{`addresses = ["fd00:1::1/64"]`},
			losses: []string{"15: lost: the vrrp_instance a has this address on eth0, and lvsd has a link-local address on one interface only"},
		},
		"a state that is none is BACKUP": {
			conf: router("state SLAVE\npriority 90\nnopreempt\n" + vip), want: []string{"preempt   = false"},
			losses: []string{"4: note: keepalived has the states MASTER and BACKUP"},
		},
		"a script that looks for a process would find none": {
			conf:   "vrrp_script up {\nscript \"killall -0 nginx\"\n}\n" + router(vip+"track_script {\nup\n}"),
			losses: []string{"2: differs: it looks for a process, and lvsd's unit hides those of other users"},
		},
		"root's finds it": {
			conf: "vrrp_script up {\nscript \"/usr/bin/killall -0 nginx\"\nuser root\n}\n" + router(vip+"track_script {\nup\n}"),
			want: []string{`user = "root"`}, not: []string{"ProtectProc"},
		},
		"lines that were taken out stay a block": {
			conf: router("#unicast_peer {\n#    10.9.0.5\n#}\n" + vip),
			want: []string{"# unicast_peer {\n#     10.9.0.5\n# }\n"},
		},
		"a word that keepalived once had changes nothing": {
			conf:   "virtual_server 10.9.0.1 80 {\nlb_algo rr\nlb_kind NAT\nnat_mask 255.255.255.0\nprotocol TCP\nreal_server 10.9.0.2 80 {\n}\n}\n",
			losses: []string{"4: note: it is a word of old versions"},
		},
		"an interval that keepalived does not take": {
			conf: router("version 2\nadvert_int 300\n" + vip), not: []string{"advert_interval"},
			losses: []string{"5: note: a time from 0.01 to 255 s was expected"},
		},
		"more addresses than an advert has room for": {
			conf:   router("version 3\nvirtual_ipaddress {\nfe80::3\n" + strings.Repeat("\n", 3) + many(90) + "}"),
			want:   []string{`"fd00::88"]`, `extra_address "fd00::89" {}`, `extra_address "fd00::90" {}`},
			losses: []string{"98: note: an advert has room for 89 addresses"},
		},
		"one packet in each announcement is as usual": {
			conf: router("garp_master_repeat 1\n" + vip), not: []string{"announce"},
			losses: []string{"4: note: it is the default"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Import(disk{"k.conf": tt.conf}, "k.conf", Options{ID: "lvs1", KnownUser: func(name string) bool { return name == "nobody" || name == "root" }})
			if err != nil {
				t.Fatal(err)
			}
			_, losses := importertest.Written(r)
			text := validate(t, r)
			for _, w := range tt.want {
				if !strings.Contains(text, w) {
					t.Errorf("nothing says %q in\n%s", w, text)
				}
			}
			for _, w := range tt.not {
				if strings.Contains(text, w) {
					t.Errorf("%q is in\n%s", w, text)
				}
			}
			var told []string
			for _, l := range r.Losses {
				told = append(told, fmt.Sprintf("%d: %s: %s", l.Line, l.Kind, l.Reason))
			}
			for _, w := range tt.losses {
				if !strings.Contains("\n"+strings.Join(told, "\n"), "\n"+w) {
					t.Errorf("nothing tells %q in\n%s", w, losses)
				}
			}
		})
	}
}

// What keepalived itself makes of them is compared with that.
func TestOutlinesOfConfigurationsAsTheyAreFound(t *testing.T) {
	const router = "vrrp_instance %s {\ninterface eth0\nvirtual_router_id %d\nversion 3\nuse_vmac\nadvert_int 100\nvirtual_ipaddress {\n10.9.0.1/24 dev vrrp.3\n}\n}\n"
	conf := fmt.Sprintf(router, "a", 3) + fmt.Sprintf(router, "a", 4)
	out, err := Outline(disk{"k.conf": conf}, "k.conf", Options{ID: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range out {
		rows = append(rows, fmt.Sprint(r.Key, ": ", r.Value, " ", r.Times))
	}
	got, want := strings.Join(rows, "\n"), "virtual router 3 of IPv4 on eth0: priority 100, VRRP 3 [{an advert every 40.95s}]\naddress 10.9.0.1 on eth0: /24, of virtual router 3 []"
	if got != want {
		t.Errorf("it makes\n%s\nwant\n%s", got, want)
	}
}
