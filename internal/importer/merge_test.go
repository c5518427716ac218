package importer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// router is a director's virtual router.
func router(file string, priority int, more ...string) Result {
	b := NewBlock("virtual_router", "outside").Of(Place{file, 1})
	b.Set("interface", String("eth0"), Place{file, 2})
	b.Set("id", Number(51), Place{file, 3})
	b.Set("priority", Number(priority), Place{file, 4})
	b.Set("addresses", Strings("10.13.0.200/24"), Place{file, 5})
	for _, name := range more {
		b.Block("track", "interface", name).Of(Place{file, 6})
	}
	return Result{Blocks: []*Block{b}}
}

// "--node lvs1=a.conf --node lvs2=b.conf merges what is equal and makes an expression of what
// differs."
func TestDirectorsBecomeOneConfiguration(t *testing.T) {
	master, backup := router("a.conf", 150, "eth1"), router("b.conf", 100, "eth1")
	backup.Blocks[0].Set("preempt", Bool(false), Place{"b.conf", 7})
	r := Merge(map[string]Result{"lvs1": master, "lvs2": backup})
	Tidy(r.Blocks)
	want := `virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = { lvs1 = 150, lvs2 = 100 }[node.name]
  preempt   = { lvs1 = true, lvs2 = false }[node.name]
  addresses = ["10.13.0.200/24"]
  track "interface" "eth1" {}
}
`
	if diff := cmp.Diff(want, Write(r.Blocks)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.Losses) > 0 {
		t.Errorf("nothing is lost, but: %+v", r.Losses)
	}
	if seen := r.Accounted(); !seen[Place{"a.conf", 4}] || !seen[Place{"b.conf", 4}] {
		t.Errorf("where it comes from is forgotten: %v", seen)
	}
}

// TestWhatADirectorLacksIsMadeOnTheOthers, and told.
func TestWhatADirectorLacksIsMadeOnTheOthers(t *testing.T) {
	with := router("a.conf", 150, "eth1")
	with.Blocks = append(with.Blocks, NewBlock("virtual_service", "web").Note("The shop."))
	r := Merge(map[string]Result{"lvs1": with, "lvs2": router("b.conf", 150), "lvs3": with})
	want := `virtual_router "outside" {
  interface = "eth0"
  id        = 51
  priority  = 150
  addresses = ["10.13.0.200/24"]

  dynamic "track" {
    for_each = contains(["lvs1", "lvs3"], node.name) ? [1] : []
    labels   = ["interface", "eth1"]
    content {}
  }
}

# The shop.
dynamic "virtual_service" {
  for_each = contains(["lvs1", "lvs3"], node.name) ? [1] : []
  labels   = ["web"]
  content {}
}
`
	if diff := cmp.Diff(want, Write(r.Blocks)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r = Merge(map[string]Result{"lvs1": router("a.conf", 150, "eth1"), "lvs2": router("b.conf", 150)})
	if len(r.Losses) != 1 || r.Losses[0].Text != "track interface eth1 in virtual_router outside" || r.Losses[0].Place != (Place{"a.conf", 6}) || r.Losses[0].Kind != Note {
		t.Errorf("%+v", r.Losses)
	}
}

// What is said of all directors is said once, and secrets that differ are told.
func TestLossesOfAllDirectorsAreToldOnce(t *testing.T) {
	same := Loss{Place: Place{"a.conf", 9}, Kind: Note, Text: "state MASTER", Reason: "why"}
	r := Merge(map[string]Result{
		"lvs1": {Losses: []Loss{same}, Files: []File{{"/etc/lvsd/outside.password", "one"}}},
		"lvs2": {Losses: []Loss{same, {Place: Place{"a.conf", 10}, Text: "other"}}, Files: []File{{"/etc/lvsd/outside.password", "two"}}},
	})
	var nodes []string
	for _, l := range r.Losses {
		nodes = append(nodes, l.Node+":"+l.Text)
	}
	if diff := cmp.Diff([]string{":state MASTER", ":/etc/lvsd/outside.password", "lvs2:other"}, nodes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.Files) != 1 {
		t.Errorf("%d files", len(r.Files))
	}
}

func TestEachVirtualServiceHasAFile(t *testing.T) {
	var names []string
	for _, p := range Split([]*Block{NewBlock("virtual_router", "outside"), NewBlock("virtual_service", "web"), NewBlock("virtual_service", "10.13.0.200:80"), NewBlock("virtual_service", "lvsd"), NewBlock("virtual_service", "../etc"), NewBlock("virtual_service", "::")}) {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"lvsd.hcl", "web.hcl", "10.13.0.200-80.hcl", "lvsd-2.hcl", "etc.hcl", "service.hcl"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
