package convert

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
)

const site = `vrrp_instance outside {
  interface eth0
  virtual_router_id 51
  priority 150
  virtual_ipaddress {
    10.13.0.200/24
  }
}
virtual_server 10.13.0.200 80 {
  delay_loop 6
  lb_kind DR
  persistence_timeout 50
  protocol TCP
  sorry_server 192.168.1.9 80
  real_server 192.168.1.4 80 {
    weight 3
    HTTP_GET {
      url {
        path /health
      }
    }
  }
}
`

// TestAWrongConversionIsSeen: what is spoilt after the importer shows, in its row alone.
func TestAWrongConversionIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keepalived.conf")
	if err := os.WriteFile(path, []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	inner := func(b *importer.Block, kind string) *importer.Block {
		for _, it := range b.Items {
			if i, is := it.(*importer.Block); is && i.Kind == kind {
				return i
			}
		}
		t.Fatalf("%s has no %s", b.Kind, kind)
		return nil
	}
	const service, row, check = "-t 10.13.0.200:80", "-t 10.13.0.200:80 -r 192.168.1.4:80", "tcp 10.13.0.200:80 -> 192.168.1.4"
	for _, tt := range []struct {
		name  string
		spoil func(router, service *importer.Block)
		want  []string // the keys of what differs
	}{
		{"nothing", func(_, _ *importer.Block) {}, nil},
		{"a weight", func(_, s *importer.Block) { inner(s, "real_server").Set("weight", importer.Number(4)) }, []string{row}},
		{"a forwarding method", func(_, s *importer.Block) { s.Set("forward", importer.String("tunnel")) }, []string{row, service + " -r 192.168.1.9:80, fallback"}},
		{"a scheduler", func(_, s *importer.Block) { s.Set("scheduler", importer.String("rr")) }, []string{service}},
		{"no persistence", func(_, s *importer.Block) {
			p := importer.Item(inner(s, "persistence"))
			s.Items = slices.DeleteFunc(s.Items, func(it importer.Item) bool { return it == p })
		}, []string{service}},
		{"a path", func(_, s *importer.Block) { inner(s, "check").Set("path", importer.String("/")) }, []string{check}},
		{"an interval", func(_, s *importer.Block) { inner(s, "check").Set("interval", importer.String("8s")) }, []string{check}},
		{"an interval within a tenth", func(_, s *importer.Block) { inner(s, "check").Set("interval", importer.String("6.3s")) }, nil},
		{"a failure less", func(_, s *importer.Block) { inner(s, "check").Set("fall", importer.Number(1)) }, []string{check}},
		{"another fallback", func(_, s *importer.Block) { inner(s, "fallback").Set("address", importer.String("192.168.1.8")) },
			[]string{"-t 10.13.0.200:80 -r 192.168.1.8:80, fallback", "-t 10.13.0.200:80 -r 192.168.1.9:80, fallback"}},
		{"a priority", func(r, _ *importer.Block) { r.Set("priority", importer.Number(100)) }, []string{"virtual router 51 of IPv4 on eth0"}},
		{"an address", func(r, _ *importer.Block) { r.Set("addresses", importer.Strings("10.13.0.200/16")) }, []string{"address 10.13.0.200 on eth0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			im, err := Read(Request{Program: "keepalived", Files: []string{path}, Host: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			var router, service *importer.Block
			for _, b := range im.Blocks {
				switch b.Kind {
				case "virtual_router":
					router = b
				case "virtual_service":
					service = b
				}
			}
			tt.spoil(router, service)
			c, refused, err := im.Compared()
			if err != nil || len(refused) > 0 {
				t.Fatal(refused, err)
			}
			var differ []string
			for _, r := range c.Directors[0].Rows {
				if r.Differs {
					differ = append(differ, r.Key)
				}
			}
			if !slices.Equal(differ, tt.want) || c.Differences != (tt.want != nil) {
				t.Errorf("these differ: %q, want %q", differ, tt.want)
			}
		})
	}
}

// TestProgramsAreComparedAsTheyAreStarted, however the servers are told to them.
func TestProgramsAreComparedAsTheyAreStarted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ldirectord.cf")
	text := "virtual=10.13.0.200:1812\n\tprotocol=udp\n\tscheduler=rr\n\tchecktype=external\n\tcheckcommand=/usr/local/bin/ask\n" +
		"\treal=192.168.1.4:1812 masq\n\treal=192.168.1.5:1645 masq\n" +
		"virtual=10.13.0.200:80\n\tscheduler=rr\n\tchecktype=external\n\tcheckcommand=/usr/local/bin/ask\n\treal=192.168.1.4:8080 gate\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	im, err := Read(Request{Program: "ldirectord", Files: []string{path}, Host: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	c, refused, err := im.Compared()
	if err != nil || len(refused) > 0 || c.Differences {
		t.Fatal(refused, err, c)
	}
	var runs []string
	for _, r := range c.Directors[0].Rows {
		if _, program, is := strings.Cut(*r.Ours, "runs "); is {
			program, _, _ = strings.Cut(program, ",")
			runs = append(runs, program)
		}
	}
	want := []string{"/usr/local/bin/ask 10.13.0.200 80 192.168.1.4 8080", "/usr/local/bin/ask 10.13.0.200 1812 192.168.1.4 1812", "/usr/local/bin/ask 10.13.0.200 1812 192.168.1.5 1645"}
	if !slices.Equal(runs, want) {
		t.Errorf("it runs %q, want %q", runs, want)
	}
}
