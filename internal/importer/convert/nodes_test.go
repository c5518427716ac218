package convert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
)

// ofNodes are keepalived.conf of two or three directors that differ in whole blocks.
var ofNodes = map[string]map[string]string{
	"an address that one excludes from its adverts": {
		"lvs1": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n10.13.0.201/24\n}\n}\n",
		"lvs2": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\nvirtual_ipaddress_excluded {\n10.13.0.201/24\n}\n}\n",
	},
	"addresses that one excludes altogether": {
		"lvs1": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\n}\n",
		"lvs2": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress_excluded {\n10.13.0.200/24\n}\n}\n",
	},
	"checks, a tracked interface and a sync daemon of one": {
		"lvs1": "global_defs {\nlvs_sync_daemon eth1 a\n}\nvrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\ntrack_interface {\neth1\n}\n}\n" +
			"virtual_server 10.13.0.200 80 {\nlb_kind DR\nprotocol TCP\npersistence_timeout 50\nreal_server 192.168.1.4 80 {\nHTTP_GET {\nurl {\npath /\n}\n}\n}\nreal_server 192.168.1.5 80 {\n}\n}\n",
		"lvs2": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\n}\nvirtual_server 10.13.0.200 80 {\nlb_kind DR\nprotocol TCP\nreal_server 192.168.1.4 80 {\n}\n}\n",
	},
	"a virtual router and a service of two of three": {
		"lvs1": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\n}\nvirtual_server 10.13.0.200 80 {\nlb_kind DR\nprotocol TCP\nreal_server 192.168.1.4 80 {\nTCP_CHECK {\n}\n}\n}\n",
		"lvs2": "vrrp_instance a {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.13.0.200/24\n}\n}\nvirtual_server 10.13.0.200 80 {\nlb_kind DR\nprotocol TCP\nreal_server 192.168.1.4 80 {\nTCP_CHECK {\n}\n}\n}\n",
		"lvs3": "vrrp_instance b {\ninterface eth0\nvirtual_router_id 52\nvirtual_ipaddress {\n10.13.0.210/24\n}\n}\n",
	},
}

// TestWhatSomeDirectorsHaveIsMadeOnThemAlone: lvsd takes it on all of them, and makes the same there
// as keepalived.
func TestWhatSomeDirectorsHaveIsMadeOnThemAlone(t *testing.T) {
	for name, files := range ofNodes {
		t.Run(name, func(t *testing.T) {
			nodes := map[string]string{}
			for node, text := range files {
				nodes[node] = filepath.Join(t.TempDir(), node+".conf")
				if err := os.WriteFile(nodes[node], []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			im, err := Read(Request{Program: "keepalived", Nodes: nodes, Host: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			text := importer.Write(im.Blocks)
			if diags, err := im.Validate(); err != nil || diags.HasErrors() {
				t.Fatalf("lvsd refuses it: %v %v\n%s", diags, err, text)
			}
			c, refused, err := im.Compared()
			if err != nil || len(refused) > 0 {
				t.Fatal(refused, err)
			}
			for _, d := range c.Directors {
				for _, r := range d.Rows {
					if r.Differs {
						t.Errorf("%s: %+v", d.Name, r)
					}
				}
			}
			if !strings.Contains(text, "dynamic") {
				t.Errorf("nothing is made on one of them alone:\n%s", text)
			}
			if slices.ContainsFunc(im.Losses, func(l importer.Loss) bool { return strings.Contains(l.Reason, "all directors have it now") }) {
				t.Errorf("%+v", im.Losses)
			}
			if t.Failed() {
				t.Log(text)
			}
		})
	}
}
