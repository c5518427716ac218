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
	_, err := exec.LookPath("nft")
	if !cluster.InLab() && (err != nil || os.Getuid() != 0) {
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
	// In a network namespace of its own, where nothing is loaded in any case.
	nft := exec.Command("unshare", "--net", "nft", "--check", "--file", "-")
	nft.Stdin = strings.NewReader(debianRules + begin + rules + end)
	if out, err := nft.CombinedOutput(); err != nil {
		t.Errorf("nft: %v\n%s", err, out)
	}
}
