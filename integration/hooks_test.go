package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// withHook adds one to a virtual router's configuration, and a stream. They note on each
// director what they were told.
func withHook(router string) string {
	return strings.TrimSuffix(strings.TrimSpace(router), "}") + `
  on "any" {
    run     = ["${env.HOOKS}/note", "${env.HOOKS}/${node.name}"]
    timeout = "10s"
  }
  stream "lines" { run = ["${env.HOOKS}/collect", "${env.HOOKS}/${node.name}.lines"] }
}
`
}

// writeHook writes the programs of both.
func (p *pair) writeHook() {
	p.t.Helper()
	p.t.Setenv("HOOKS", p.config)
	script := "#!/bin/sh\necho \"$LVSD_STATE after '$LVSD_FORMER_STATE', priority $LVSD_PRIORITY, $LVSD_ADDRESSES\" >>\"$1\"\n"
	p.must(os.WriteFile(filepath.Join(p.config, "note"), []byte(script), 0o755))
	p.must(os.WriteFile(filepath.Join(p.config, "collect"), []byte("#!/bin/sh\nexec cat >>\"$1\"\n"), 0o755))
}

// waitTold waits until the hook and the stream of director i have been told last of a
// state. How many states the hook was told before depends on the machine: the newest one wins.
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
	p.until(fmt.Sprintf("the stream to tell %q", state), func() (bool, error) {
		text, err := os.ReadFile(filepath.Join(p.config, p.Directors[i].Name+".lines"))
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		last = lines[len(lines)-1]
		return err == nil && strings.Contains(last, fmt.Sprintf(`"state":%q,`, state)), nil
	})
	if want := `"priority":150,"former_priority":150,`; !strings.Contains(last, want) || !strings.Contains(last, `"192.168.2.254/24"]}`) {
		p.t.Errorf("the stream told %s, want %s", last, want)
	}
}
