package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lvsd/lvsd/"

// domains import the standard library only, and never each other.
var domains = []string{"checker", "ipvsctl", "vrrp"}

// layers are the packages with what each may import of this module. A package
// of the module that is not listed may not exist.
var layers = []struct {
	pkg string
	may []string
	why string
}{
	{"checker", nil, "health is decided without knowing of tables and routers"},
	{"ipvsctl", nil, "the table is compared without knowing why it should be so"},
	{"vrrp", nil, "a virtual router waits for nobody, so it knows nobody"},
	{"checker/probe", []string{"checker", "internal/keyfile", "internal/rawip"}, "an edge serves its own domain, and a password is as secret as a key"},
	{"ipvsctl/connections", []string{"ipvsctl"}, "connections are those of a table"},
	{"ipvsctl/filter", []string{"internal/fault", "ipvsctl"}, "an edge serves its own domain"},
	{"ipvsctl/kernel", []string{"internal/fault", "ipvsctl", "ipvsctl/connections"}, "an edge serves its own domain"},
	{"ipvsctl/ipvsadm", []string{"ipvsctl", "ipvsctl/connections"}, "a command line speaks of the table's values, and is handed the kernel"},
	{"vrrp/link", []string{"internal/fault", "vrrp"}, "an edge serves its own domain"},
	{"internal/keeper", []string{"internal/event", "internal/orders", "internal/program", "vrrp"}, "the process that keeps the adverts must not share fate with anything else"},
	{"internal/block", []string{"internal/text"}, "the language of the files knows nothing of what they say"},
	{"internal/config", append([]string{"internal/block", "internal/text"}, domains...), "text becomes the domains' values, and nothing acts on it"},
	{"internal/resource", []string{"internal/api", "internal/config", "internal/event", "internal/spawn", "internal/text", "vrrp"}, "resources follow what happens, and the keeper alone waits for them"},
	{"internal/hook", []string{"internal/api", "internal/config", "internal/event", "internal/spawn", "internal/text", "vrrp"}, "hooks are told of what happens, and nothing waits for them"},
	{"internal/machine", nil, "facts about the machine are values that anybody may judge"},
	{"internal/tuning", []string{"internal/fault", "internal/machine", "ipvsctl", "ipvsctl/kernel"}, "parameters have one writer, whoever wants them"},
	{"internal/orders", nil, "signals are orders to every process of the daemon"},
	{"internal/program", nil, "each process of the daemon is the same program"},
	{"internal/event", nil, "whoever makes news does not know who consumes it"},
	{"internal/director", append([]string{"internal/api", "internal/event", "internal/config", "internal/machine", "internal/text", "ipvsctl/connections"}, domains...), "the domains meet here; edges are handed in"},
	{"internal/trust", nil, "whose a file is, whatever it is for"},
	{"internal/keyfile", []string{"internal/trust"}, "a secret is a text, whoever has need of it"},
	{"internal/importer", []string{"internal/block", "internal/config", "ipvsctl"}, "what was made of other programs' files is values, and the tables of options say what need not be written"},
	{"internal/importer/compare", []string{"checker", "internal/api", "internal/config", "internal/director", "internal/importer", "ipvsctl", "vrrp"}, "what lvsd would make is asked of the director's plan, and put beside rows of the importers"},
	{"internal/importer/ipvsadm", []string{"internal/importer", "ipvsctl", "ipvsctl/ipvsadm"}, "command lines are read in one place, and files are handed in"},
	{"internal/importer/keepalived", []string{"internal/config", "internal/importer", "ipvsctl"}, "files are handed in, and the table of foreign words says what has no counterpart"},
	{"internal/importer/ldirectord", []string{"checker", "internal/config", "internal/importer", "internal/text", "ipvsctl"}, "the text is handed in, and what resolves names; checker knows what is a domain name, and the table of foreign words says what has no counterpart"},
	{"internal/importer/heartbeat", []string{"internal/config", "internal/importer", "internal/text"}, "texts are handed in; the table of foreign words says what has no counterpart"},
	{"internal/reader", []string{"checker", "internal/config", "internal/keyfile", "internal/spawn", "internal/text"}, "it reads the configuration where that can hurt nobody"},
	{"internal/spawn", []string{"internal/trust"}, "a program is started in one way, whoever wants it"},
	{"internal/state", []string{"ipvsctl"}, "what outlives the process"},
	{"internal/api", []string{"internal/text"}, "what programs read changes for their sake alone"},
	{"internal/text", nil, "any text may come from anywhere"},
	{"internal/show", []string{"internal/api", "internal/text"}, "it shows what any daemon has answered"},
	{"internal/metrics", []string{"checker", "internal/api", "internal/text"}, "it exports one answer, and the checker's bounds of latencies"},
	{"internal/control", []string{"internal/api", "internal/metrics", "internal/text"}, "server and client know questions and answers only"},
	{"internal/sim", []string{"ipvsctl", "vrrp"}, "tests of the domains import it, and its own the director"},
	{"internal/golden", nil, "tests of any package import it"},
	{"internal/importer/importertest", []string{"internal/config", "internal/importer"}, "tests of the importers import it"},
	{"internal/api/apitest", []string{"internal/api"}, "tests of what makes or shows an answer import it"},
	{"internal/netnstest", nil, "tests of the edges import it"},
	{"internal/rawip", []string{"vrrp"}, "packets without connections are made in one way, and vrrp has the checksum that all of them have"},
	{"internal/fault", nil, "it knows errors alone"},
	{"internal/netlinktest", nil, "tests of the edges import it"},
	{"internal/arch", nil, "tests of the structure alone"},
	{"internal/realserver", []string{"internal/config", "internal/machine", "ipvsctl", "vrrp"}, "what a machine needs is decided by values"},
	{"internal/realserver/host", []string{"internal/machine", "internal/realserver"}, "an edge serves its own domain"},
	{"internal/doctor", []string{"internal/api", "internal/config", "internal/machine", "internal/realserver", "internal/text", "ipvsctl", "vrrp"}, "a machine is examined by values"},
	{"internal/doctor/host", []string{"internal/config", "internal/doctor", "internal/machine", "internal/rawip"}, "an edge serves its own domain"},
	{"internal/importer/convert", []string{"internal/api", "internal/config", "internal/importer", "internal/importer/compare", "internal/importer/heartbeat", "internal/importer/ipvsadm", "internal/importer/keepalived", "internal/importer/ldirectord", "ipvsctl/ipvsadm"}, "files are read and written in one place, for all programs"},
	{"internal/daemon", []string{
		"checker", "checker/probe", "internal/api", "internal/config", "internal/control", "internal/director", "internal/doctor", "internal/doctor/host", "internal/hook", "internal/keeper",
		"internal/event", "internal/keyfile", "internal/machine", "internal/orders", "internal/program", "internal/reader", "internal/realserver", "internal/realserver/host", "internal/resource", "internal/spawn", "internal/state", "internal/tuning", "ipvsctl", "ipvsctl/connections", "ipvsctl/filter", "ipvsctl/kernel", "vrrp", "vrrp/link"}, "it hands the edges to the director"},
	{"cmd/lvsd", []string{"internal/api", "internal/config", "internal/control", "internal/daemon", "internal/importer/convert", "internal/keeper", "internal/show", "internal/reader", "internal/spawn", "ipvsctl", "ipvsctl/ipvsadm", "ipvsctl/kernel", "vrrp", "vrrp/link"},
		"commands have no logic"},
}

// systemCallers are the edges, and those that deal with processes and sockets
// of the daemon itself: the keeper with its own scheduling and memory, control
// with its socket, state with its lock, the daemon with signals and clocks. The fake kernel speaks in the
// real one's errors, and tests of the edges need namespaces.
var systemCallers = []string{
	"checker/probe", "ipvsctl/filter", "ipvsctl/kernel", "vrrp/link",
	"internal/keeper", "internal/reader", "internal/control", "internal/daemon", "internal/doctor/host", "internal/fault", "internal/keyfile", "internal/machine", "internal/orders", "internal/program", "internal/rawip", "internal/realserver/host", "internal/spawn", "internal/state", "internal/trust", "internal/sim", "internal/netnstest", "internal/netlinktest", "integration",
}

// confined are libraries with the only packages that may import them, tests
// aside. A path stands for all packages below it.
var confined = []struct {
	path   string
	within []string
	why    string
}{
	{"github.com/coreos/go-systemd", []string{"internal/daemon"}, "systemd is the process's parent, not the director's"},
	{"github.com/hashicorp/hcl", []string{"internal/block"}, "after parsing nothing is text"},
	{"github.com/zclconf/go-cty", []string{"internal/block"}, "after parsing nothing is text"},
	{"github.com/google/nftables", []string{"ipvsctl/filter", "vrrp/link"}, "system calls of virtual routers and of services are in their edges"},
	{"github.com/mdlayher/genetlink", []string{"ipvsctl/kernel", "integration"}, "system calls of the table are in its edge"},
	{"github.com/mdlayher/netlink", []string{"ipvsctl/kernel", "ipvsctl/filter", "internal/netlinktest", "integration"}, "system calls of the table are in its edge"},
	{"github.com/mdlayher/packet", []string{"vrrp/link", "integration"}, "system calls of virtual routers are in their edge"},
	{"github.com/moby/ipvs", []string{"integration"}, "it is the tests' independent witness"},
	{"github.com/prometheus", []string{}, "it is 2 MB of the binary: internal/metrics writes the text, and only its tests parse it"},
	{"github.com/spf13", []string{"cmd/lvsd"}, "the command line ends in cmd"},
	{"github.com/vishvananda", []string{"vrrp/link", "internal/realserver/host", "integration"}, "system calls of virtual routers are in their edge, and of a real server in its own"},
	{"golang.org/x/net/dns", []string{"checker/probe"}, "answers are read where they come"},
	{"golang.org/x/net/http2", []string{"checker/probe"}, "frames are read by probes"},
	{"golang.org/x/sys", systemCallers, "system calls are in the edges"},
	{"net/http", []string{"checker/probe", "internal/control", "internal/metrics"}, "HTTP is asked by probes and served by control"},
	{"syscall", systemCallers, "system calls are in the edges"},
}

// bannedBelow must not be reached by a domain over any path of imports.
var bannedBelow = map[string]string{
	"net":                            "the core opens no sockets (net/netip is for addresses)",
	"os/exec":                        "the core starts no processes",
	"net/http":                       "the core opens no sockets",
	"github.com/mdlayher/netlink":    "system calls are in the edges",
	"github.com/vishvananda/netlink": "system calls are in the edges",
	"github.com/prometheus/client_golang/prometheus": "metrics are read from values by internal/metrics",
	"github.com/hashicorp/hcl/v2":                    "configuration arrives as values",
}

// A goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath string
	Dir        string
	Export     string // the file with its types, where that was asked for
	Imports    []string
	Deps       []string
	GoFiles    []string
	// Tests are in the package itself, or beside it.
	TestGoFiles, XTestGoFiles []string
}

// name is the import path within the module.
func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// listPackages returns the packages of this module, and with -deps all that they
// depend on.
func listPackages(t *testing.T, flags ...string) []goPackage {
	t.Helper()
	flags = append([]string{"list", "-e", "-json=ImportPath,Dir,Export,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles"}, flags...)
	c := exec.Command("go", append(flags, module+"...")...)
	c.Env = append(os.Environ(), "CGO_ENABLED=0") // as everything else is built: what is exported is in the cache
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("listing the packages: %v: %s", err, &stderr)
	}
	var list []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("reading the list of packages: %v", err)
		}
		// Read here too, so that the test's cached result ends with a new file.
		if _, err := os.ReadDir(p.Dir); err != nil {
			t.Fatalf("listing the package's files: %v", err)
		}
		list = append(list, p)
	}
}

func TestImports(t *testing.T) {
	for _, p := range listPackages(t) {
		if within(p.name(), []string{"integration", "packaging"}) {
			continue // tests of the whole may use everything
		}
		checkLayer(t, p)
		if slices.Contains(domains, p.name()) {
			checkDomain(t, p)
		}
	}
}

func checkLayer(t *testing.T, p goPackage) {
	for _, l := range layers {
		if l.pkg != p.name() {
			continue
		}
		for _, path := range p.Imports {
			if own, ok := strings.CutPrefix(path, module); ok && !slices.Contains(l.may, own) {
				t.Errorf("%s imports %s, and may import of this module only %v: %s", l.pkg, own, l.may, l.why)
			}
		}
		return
	}
	t.Errorf("%s is in no layer: say in layers what it may import", p.name())
}

// checkDomain checks what a domain imports of others than this module.
func checkDomain(t *testing.T, p goPackage) {
	for _, path := range p.Imports {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !strings.HasPrefix(path, module) {
			t.Errorf("%s imports %s, and a domain imports the standard library only", p.name(), path)
		}
	}
	for _, path := range p.Deps {
		if why, ok := bannedBelow[path]; ok {
			t.Errorf("%s depends on %s: %s", p.name(), path, why)
		}
	}
}

func TestConfinedLibraries(t *testing.T) {
	for _, p := range listPackages(t) {
		for _, path := range p.Imports {
			for _, c := range confined {
				if within(path, []string{c.path}) && !within(p.name(), c.within) {
					t.Errorf("%s imports %s, which is for %v only: %s", p.name(), path, c.within, c.why)
				}
			}
		}
	}
}

// within reports whether a path is one of the folders, or below one.
func within(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return path == f || strings.HasPrefix(path, f+"/")
	})
}
