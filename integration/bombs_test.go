package integration

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// bombs are small configurations that ask for more memory, or for more stack,
// than any machine has.
var bombs = []struct{ name, text, says string }{
	{"a text whose letters are each replaced by the text", `
locals {
  a = join("", [for i in range(1000) : format("%01000d", 0)])
  b = length(replace(local.a, "0", local.a))
}
`, "bomb.hcl:4: Needs too much memory"},
	{"a text of a million brackets, inside a block", `
virtual_service "bomb" {
  address = "127.0.0.1"
  port    = 80
  forward = try(jsondecode(join("", [for i in range(1000) : replace(format("%1000s", ""), " ", "[")])), "nat")
  real_server "192.168.1.4" {}
}
`, "bomb.hcl:2: Nested too deeply"},
}

func TestAConfigurationThatCostsTooMuchToReadIsRefused(t *testing.T) {
	p := newPair(t, map[string]string{"director.hcl": outside, "web.hcl": web})
	p.startWebs()
	for _, b := range bombs {
		t.Run("start: exit 1 with its place: "+b.name, func(t *testing.T) {
			p.write("bomb.hcl", b.text)
			p.wantExit(t, 1, p.start(0), "bomb.hcl:", strings.SplitN(b.says, ": ", 2)[1])
		})
	}
	p.must(os.Remove(p.config + "/bomb.hcl"))
	d := p.start(0)
	p.waitReady(0)
	p.waitTable(0)
	p.waitHolder(0, cluster.VIP)
	for _, b := range bombs {
		t.Run("reload: refused, and the director is as it was: "+b.name, func(t *testing.T) {
			p.write("bomb.hcl", b.text)
			memory, used := p.usage(d)
			p.wantRefusal(t, b.says)
			nowMemory, nowUsed := p.usage(d)
			if grown := nowMemory - memory; grown > 4<<10 {
				t.Errorf("the director's memory grew by %d kB", grown)
			}
			if took := nowUsed - used; took > time.Second {
				t.Errorf("the director used %v of processor time", took)
			}
		})
	}
	t.Run("and a mended one is taken", func(t *testing.T) {
		p.must(os.Remove(p.config + "/bomb.hcl"))
		p.wantAccepted(t)
	})
}

// usage returns the largest memory that a process had, in kB, and the processor
// time that it has used without its children.
func (p *pair) usage(d *cluster.Process) (peak int, used time.Duration) {
	p.t.Helper()
	dir := "/proc/" + strconv.Itoa(d.PID())
	status, err := os.ReadFile(dir + "/status")
	p.must(err)
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "VmHWM:" {
			peak, err = strconv.Atoi(words[1])
			p.must(err)
		}
	}
	stat, err := os.ReadFile(dir + "/stat")
	p.must(err)
	_, after, _ := strings.Cut(string(stat), ") ")
	for _, ticks := range strings.Fields(after)[11:13] { // utime and stime, in 1/100 s
		n, err := strconv.Atoi(ticks)
		p.must(err)
		used += time.Duration(n) * 10 * time.Millisecond
	}
	return peak, used
}
