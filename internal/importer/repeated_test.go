package importer

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cluster is a virtual service whose servers have these last numbers, and arguments.
func cluster(numbers []int, args ...string) *Block {
	b := NewBlock("virtual_service", "web")
	for _, n := range numbers {
		r := b.Block("real_server", fmt.Sprintf("10.0.0.%d", n)).Of(Place{"a", n})
		for _, a := range args {
			r.Set(a, Number(n/1000+3), Place{"a", n})
		}
	}
	return b
}

// TestServersThatDifferInTheirAddress become what somebody would write by hand.
func TestServersThatDifferInTheirAddress(t *testing.T) {
	named := cluster([]int{11, 12, 13, 14}, "weight", "upper_threshold")
	named.Items[1].(*Block).Note("the old one")
	var many []int
	for n := range 20 {
		many = append(many, 11+n)
	}
	for name, tt := range map[string]struct {
		service *Block
		want    string
	}{
		"of one line each": {cluster([]int{11, 12, 13}, "weight"), `virtual_service "web" {
  real_server "10.0.0.11" { weight = 3 }
  real_server "10.0.0.12" { weight = 3 }
  real_server "10.0.0.13" { weight = 3 }
}
`},
		"of several lines each": {cluster([]int{11, 12, 15}, "weight", "upper_threshold"), `virtual_service "web" {
  dynamic "real_server" {
    for_each = ["10.0.0.11", "10.0.0.12", "10.0.0.15"]
    labels   = [real_server.value]

    content {
      weight          = 3
      upper_threshold = 3
    }
  }
}
`},
		"more than a line has room for": {cluster(many, "weight", "upper_threshold"), `virtual_service "web" {
  dynamic "real_server" {
    for_each = range(11, 31)
    labels   = ["10.0.0.${real_server.value}"]

    content {
      weight          = 3
      upper_threshold = 3
    }
  }
}
`},
		"one with a comment": {named, `virtual_service "web" {
  real_server "10.0.0.11" {
    weight          = 3
    upper_threshold = 3
  }

  # the old one
  real_server "10.0.0.12" {
    weight          = 3
    upper_threshold = 3
  }

  real_server "10.0.0.13" {
    weight          = 3
    upper_threshold = 3
  }

  real_server "10.0.0.14" {
    weight          = 3
    upper_threshold = 3
  }
}
`},
	} {
		t.Run(name, func(t *testing.T) {
			r := Result{Blocks: []*Block{tt.service}}
			before := r.Accounted()
			r.Blocks = Simplify(r.Blocks)
			if diff := cmp.Diff(tt.want, Write(r.Blocks)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, r.Accounted()); diff != "" {
				t.Errorf("where it comes from is forgotten (-want +got):\n%s", diff)
			}
		})
	}
}
