package integration

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

// debianRules is /etc/nftables.conf as Debian 12 installs it, to which README.md
// tells its readers to add.
const debianRules = `flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter;
	}
	chain forward {
		type filter hook forward priority filter;
	}
	chain output {
		type filter hook output priority filter;
	}
}
`

// TestReadmesFirewallRulesLoad takes the rules out of README.md, as its readers
// will.
func TestReadmesFirewallRulesLoad(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil && cluster.InLab() {
		t.Fatal(err)
	} else if err != nil || os.Getuid() != 0 {
		t.Skip("needs nft (Debian: nftables) and root")
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "       table inet filter {\n", "\n       }\n"
	_, rules, _ := strings.Cut(string(readme), begin)
	rules, _, found := strings.Cut(rules, end)
	if !found {
		t.Fatal("README.md shows no rules for nftables")
	}
	// User-mode Linux has nftables, but for no family of addresses.
	if out, err := check("table inet filter {}"); err != nil {
		t.Skipf("this kernel has no nftables: %v\n%s", err, out)
	}
	if out, err := check(debianRules + begin + rules + end); err != nil {
		t.Errorf("nft: %v\n%s", err, out)
	}
}

// check has nft read rules, in a network namespace of its own, where nothing is
// loaded in any case.
func check(rules string) (output string, err error) {
	nft := exec.Command("unshare", "--net", "nft", "--check", "--file", "-")
	nft.Stdin = strings.NewReader(rules)
	out, err := nft.CombinedOutput()
	return string(out), err
}
