package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// withHook adds one to a virtual router's configuration. It notes on each director
// what it was told.
func withHook(router string) string {
	return strings.TrimSuffix(strings.TrimSpace(router), "}") + `
  on "any" {
    run     = ["${env.HOOKS}/note", "${env.HOOKS}/${node.name}"]
    timeout = "10s"
  }
}
`
}

// writeHook writes the program of that hook.
func (p *pair) writeHook() {
	p.t.Helper()
	p.t.Setenv("HOOKS", p.config)
	script := "#!/bin/sh\necho \"$LVSD_STATE after '$LVSD_FORMER_STATE', priority $LVSD_PRIORITY, $LVSD_ADDRESSES\" >>\"$1\"\n"
	p.must(os.WriteFile(filepath.Join(p.config, "note"), []byte(script), 0o755))
}

// waitTold waits until the hook of director i has been told last of a state. How many
// states came before depends on the machine: the newest one wins.
func (p *pair) waitTold(i int, state string) {
	p.t.Helper()
	last := ""
	p.until(fmt.Sprintf("the hook to be told %q", state), func() (bool, error) {
		text, err := os.ReadFile(filepath.Join(p.config, p.Directors[i].Name))
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		last = lines[len(lines)-1]
		return err == nil && strings.HasPrefix(last, state+" "), nil
	})
	if want := "priority 150, 10.13.0.200/24 192.168.1.254/24 192.168.2.254/24"; !strings.HasSuffix(last, want) {
		p.t.Errorf("the hook was told %q, want %q", last, want)
	}
}
