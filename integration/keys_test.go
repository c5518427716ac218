package integration

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/vrrp"
)

// TestAPairIsGivenKeysAndRotatesThem reloads one director after the other: no advert
// is refused and no address moves, until a stop hands it over. Who has no key then
// changes nothing, and no key is anywhere to be seen.
func TestAPairIsGivenKeysAndRotatesThem(t *testing.T) {
	plain := slowly.Replace(outside)
	p := newPair(t, map[string]string{"director.hcl": plain})
	var secrets []string
	file := func(id int) string {
		path := filepath.Join(p.Dir, fmt.Sprintf("vrrp-%d.key", id))
		secrets = append(secrets, hex.EncodeToString([]byte(strings.Repeat(string(rune('a'+id)), 32))))
		p.must(os.WriteFile(path, []byte("hex:"+secrets[len(secrets)-1]+"\n"), 0o600))
		return path
	}
	one, two := fmt.Sprintf("key \"1\" { file = %q }\n", file(1)), fmt.Sprintf("key \"2\" { file = %q }\n", file(2))
	p.startBoth(cluster.VIP)
	for _, step := range []struct {
		what, authentication string
		key                  uint8 // with which the Backup hears that the Master signs
	}{
		{"signing begins", one + `mode = "permissive"`, 1},
		{"only what is signed is accepted, and a new key is known", one + two + "signer = 1", 0},
		{"it signs", one + two + "signer = 2", 2},
		{"the old one is removed", two, 0},
	} {
		p.write("director.hcl", strings.Replace(plain, "advert_interval", "authentication {\n"+step.authentication+"\n}\nadvert_interval", 1))
		for i := range p.Directors {
			if s := p.reload(i); !s.Reload.OK {
				t.Fatalf("%s: %s", step.what, s.Reload.Error)
			}
		}
		p.until("the Backup to hear the Master's key", func() (bool, error) {
			s, err := p.status(1)
			return err == nil && (step.key == 0 || len(s.Routers[0].Peers) > 0 && s.Routers[0].Peers[0].Key == step.key), nil
		})
		for i := range p.Directors {
			r := p.mustStatus(i).Routers[0]
			if c := r.Counters; (r.State == api.Master) != (i == 0) || c.BecameMaster != uint64(1-i) || c.LeftMaster > 0 || refused(c) > 0 {
				t.Errorf("%s: %s is %s, and has counted %+v", step.what, p.Directors[i].Name, r.State, c)
			}
		}
	}

	forged := vrrp.Advert{Version: 3, VRID: 51, Priority: 255, Interval: slow, Addresses: []netip.Addr{cluster.VIP}}
	p.inject(1, vrrp.Group4, 255, forged.Append(nil, netip.MustParseAddr("10.13.0.16"), vrrp.Group4))
	p.until("the forged advert to be counted", func() (bool, error) {
		s, err := p.status(0)
		return err == nil && s.Routers[0].Counters.Discarded["hmac_missing"] == 1 && s.Routers[0].State == api.Master, nil
	})
	p.wantMetric(0, `lvsd_router_packets_discarded_total{reason="hmac_missing",router="outside"} 1`)

	m := p.move(cluster.VIP, 1, func() { p.terminate(0) })
	m.wantHandOver(t, "the master is stopped properly")
	p.waitEnd(0)
	json, err := p.lvsd.Status(t.Context(), p.Directors[1], "-o", "json")
	p.must(err)
	table, err := p.lvsd.Status(t.Context(), p.Directors[1])
	p.must(err)
	if want := "Keys    outside: signs with 2, accepts 2 (enforce)"; !strings.Contains(table, want) {
		t.Errorf("no %q in the status:\n%s", want, table)
	}
	for what, text := range map[string]string{"the log of the first": p.daemons[0].Log(), "the log of the second": p.daemons[1].Log(), "the status": json, "the table": table, "the metrics": p.metrics(1)} {
		for _, s := range secrets {
			if strings.Contains(text, s[:8]) || strings.Contains(text, "bbbbbbbb") || strings.Contains(text, "cccccccc") {
				t.Errorf("%s shows a key", what)
			}
		}
	}
}

// refused counts the adverts that were not accepted.
func refused(c api.RouterCounters) (n uint64) {
	for _, count := range c.Discarded {
		n += count
	}
	return n
}
