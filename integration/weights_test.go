package integration

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// weighed are servers whose weights a program says, and whose states another one is told.
const weighed = `
virtual_service "web" {
  address     = "10.13.0.200"
  port        = 80
  scheduler   = "wrr"
  forward     = "nat"
  min_healthy = 2
  check "exec" {
    run           = ["/bin/sh", "-c", "exit $(cat DIR/$LVSD_SERVER)"]
    status_weight = true
    interval      = "200ms"
    timeout       = "10s"
    rise          = 1
    fall          = 1
  }
  real_server "web1" {
    address = "192.168.1.4"
    weight  = 3
  }
  real_server "web2" { address = "192.168.1.5" }
  fallback {
    address = "192.168.2.2"
    check "tcp" { interval = "200ms" }
  }
  on "down"           { run = ["DIR/hook"] }
  on "up"             { run = ["DIR/hook"] }
  on "quorum_lost"    { run = ["DIR/hook"] }
  on "quorum_reached" { run = ["DIR/hook"] }
}
`

// "The weight that misc_dynamic sets must reach the kernel, and back."
func TestWhatAProgramSaysOfAWeightReachesTheKernel(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside})
	says := func(server string, status int) {
		t.Helper()
		name := filepath.Join(p.config, server)
		p.must(os.WriteFile(name+".new", fmt.Appendf(nil, "%d\n", status), 0o644))
		p.must(os.Rename(name+".new", name)) // The program never reads half of it.
	}
	says("web1", 0)
	says("web2", 0)
	hook := "#!/bin/sh\necho \"$LVSD_SERVER $LVSD_STATE\" >>" + p.config + "/told\n"
	p.must(os.WriteFile(filepath.Join(p.config, "hook"), []byte(hook), 0o755))
	p.write("web.hcl", strings.ReplaceAll(weighed, "DIR", p.config))
	p.startAlone()
	told := ""
	for _, step := range []struct {
		what       string
		web1, web2 int
		want       string // the weights in the kernel, of web1, web2 and the fallback
		told       string // what the hook is told then
	}{
		{"both pass", 0, 0, "3 1 0", ""},
		{"a status is a weight", 12, 7, "10 5 0", ""},
		{"2 drains, and one server is too few", 2, 7, "0 0 1", "quorum_lost\n"},
		{"0 is the configured weight", 0, 0, "3 1 0", "quorum_reached\n"},
		{"1 is a failure", 0, 1, "0 - 1", "web2 down\nquorum_lost\n"},
		{"and ends", 0, 0, "3 1 0", "web2 up\nquorum_reached\n"},
	} {
		says("web1", step.web1)
		says("web2", step.web2)
		told += step.told
		p.until(fmt.Sprintf("%s: weights %s, and the hook to have been told %q", step.what, step.want, told), func() (bool, error) {
			got, err := os.ReadFile(filepath.Join(p.config, "told"))
			if err != nil && told != "" {
				return false, nil
			}
			return p.weightsOf(0, "192.168.1.4", "192.168.1.5", "192.168.2.2") == step.want && sameLines(strings.ReplaceAll("\n"+string(got), "\n ", "\n"), "\n"+told), nil
		})
	}
}

// sameLines reports whether two texts have the same lines. Of what happens at one time, the
// hook of a service whose hook is still running may come first.
func sameLines(a, b string) bool {
	return sorted(strings.Split(a, "\n")) == sorted(strings.Split(b, "\n"))
}

// weightsOf are those that real servers have in the kernel's table of director i, at port 80.
func (p *pair) weightsOf(i int, servers ...string) string {
	table := p.weights(i)
	all := make([]string, 0, len(servers))
	for _, server := range servers {
		weight, listed := table[netip.MustParseAddrPort(server+":80")]
		if !listed {
			all = append(all, "-")
			continue
		}
		all = append(all, strconv.Itoa(weight))
	}
	return strings.Join(all, " ")
}
