package integration

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/convert"
	"github.com/lvsd/lvsd/ipvsctl"
)

// A besideGroup is configurations in one folder of testdata/imported, which a peer and lvsd
// have all at once: user-mode Linux is too slow for all of a peer's.
type besideGroup struct {
	folder string
	fast   bool          // it is also run by make test
	tables bool          // nothing is taken away
	silent bool          // the killed server's cable is cut
	wait   time.Duration // how long the peer takes to have its table, where that is long
	// earliest and latest are when a server is down that fails from a moment on, where its
	// configuration says nothing else ("# verdict 4s to 7s"): the peer notices with its next
	// attempt. ldirectord's checks take a second themselves in user-mode Linux.
	earliest, latest time.Duration
}

var besideGroups = []besideGroup{
	{folder: "ipvsadm", tables: true},
	{folder: "keepalived/kernel", tables: true, fast: true},
	{folder: "keepalived/pages", earliest: 4 * time.Second, latest: 5 * time.Second},
	{folder: "keepalived/protocols", earliest: 4 * time.Second, latest: 5 * time.Second},
	{folder: "keepalived/files", latest: 5 * time.Second},
	{folder: "keepalived/programs", earliest: 4 * time.Second, latest: 5 * time.Second},
	{folder: "keepalived/silent", silent: true, earliest: 4 * time.Second, latest: 7500 * time.Millisecond},
	{folder: "ldirectord/drain", wait: time.Minute, earliest: 12 * time.Second, latest: 21 * time.Second},
	{folder: "ldirectord/keys", wait: time.Minute, earliest: 12 * time.Second, latest: 21 * time.Second},
	{folder: "ldirectord/pages", wait: time.Minute, earliest: 12 * time.Second, latest: 21 * time.Second},
	{folder: "ldirectord/quiet", wait: time.Minute, earliest: 12 * time.Second, latest: 21 * time.Second},
	{folder: "ldirectord/wire", wait: time.Minute, earliest: 12 * time.Second, latest: 21 * time.Second},
}

// program is the peer whose configurations they are.
func (g besideGroup) program() string {
	name, _, _ := strings.Cut(g.folder, "/")
	return name
}

// start starts the peer on the second director.
func (g besideGroup) start(p *pair, path string) *cluster.Process {
	p.t.Helper()
	command := map[string][]string{
		"keepalived": {"keepalived", "--dont-fork", "--log-console", "--log-detail", "-f", path},
		"ldirectord": {"env", "SSL_CERT_FILE=" + filepath.Join(p.Dir, trusted), "ldirectord", path, "start"},
		"ipvsadm":    {"sh", "-c", "grep -v '^#' " + path + " | ipvsadm -R && exec sleep 600"},
	}[g.program()]
	d, err := p.Directors[1].Start(g.program(), command...)
	p.must(err)
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("%s:\n%s", g.program(), d.LastWords(200))
		}
		if d.Ended() == nil {
			_ = d.Stop(patience)
		}
	})
	return d
}

// A foreign is one configuration of a peer.
type foreign struct {
	name             string // its file
	text             string
	earliest, latest time.Duration
}

// importedFiles is where they are.
const importedFiles = "testdata/imported"

// begin is what each configuration of a group begins with: times, and what is for all.
func (g besideGroup) begin(t *testing.T) (text string) {
	t.Helper()
	for _, name := range []string{
		filepath.Join(importedFiles, g.program(), "timers.conf"),
		filepath.Join(importedFiles, g.folder, "globals.conf"),
	} {
		if b, err := os.ReadFile(name); err == nil {
			text += string(b)
		}
	}
	return text
}

// read reads the configurations of a group.
func (g besideGroup) read(t *testing.T) (all []*foreign) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(importedFiles, g.folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if filepath.Base(name) == "globals.conf" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c := &foreign{name: filepath.Base(name), text: string(text), earliest: g.earliest, latest: g.latest}
		if _, rest, ok := strings.Cut(c.text, "# verdict "); ok {
			var first, last string
			if _, err := fmt.Sscanf(rest, "%s to %s", &first, &last); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			c.earliest, err = time.ParseDuration(first)
			if err == nil {
				c.latest, err = time.ParseDuration(last)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no configurations", g.folder)
	}
	return all
}

// convert imports a text, and validates what comes out.
func (g besideGroup) convert(t *testing.T, dir, text string) (*convert.Import, *config.Config) {
	t.Helper()
	path := filepath.Join(dir, g.program()+".conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	im, err := convert.Read(convert.Request{Program: g.program(), Files: []string{path}, Host: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	written := beside(t, im, dir)
	client := newAuthority(t)
	written = strings.ReplaceAll(written, "/run/imported/", dir+"/") // the directors' own
	for name, text := range map[string]string{"client.pem": client.pem(), "client.key": client.key(t)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := config.FromFiles(dir, config.SourceFile{Name: "lvsd.hcl", Text: []byte(written)})
	if err != nil {
		t.Fatal(err)
	}
	c, diags := config.Parse(sources, config.Options{Node: "lvs1"})
	if diags.HasErrors() {
		t.Fatalf("lvsd does not take what is imported: %v\n%s", diags.Err(), written)
	}
	return im, c
}

// beside writes what was imported, whose secrets are in a folder.
func beside(t *testing.T, im *convert.Import, dir string) string {
	t.Helper()
	text := importer.Write(im.Blocks)
	for _, f := range im.Files {
		path := filepath.Join(dir, filepath.Base(f.Name))
		if err := os.WriteFile(path, []byte(f.Secret), 0o600); err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, `"`+f.Name+`"`, `"`+path+`"`)
	}
	return text
}

// A conversion is what was made of a group.
type conversion struct {
	path     string // of the peer's file
	services int
	owners   map[string]*foreign // by service, as a table has it
}

// importing imports all configurations of a group, each of them and all at once, and writes
// what lvsd and the peer are to have.
func (p *pair) importing(g besideGroup, all []*foreign) *conversion {
	p.t.Helper()
	r := &conversion{owners: map[string]*foreign{}}
	text := g.begin(p.t)
	for _, c := range all {
		_, one := g.convert(p.t, p.t.TempDir(), g.begin(p.t)+c.text)
		for _, s := range one.Services {
			for _, k := range s.Keys() {
				if other := r.owners[serviceRow(k)]; other != nil {
					p.t.Fatalf("%s and %s have the same service", other.name, c.name)
				}
				r.owners[serviceRow(k)] = c
			}
		}
		text += "\n" + c.text
	}
	im, _ := g.convert(p.t, p.Dir, text)
	r.services, r.path = len(r.owners), filepath.Join(p.Dir, g.program()+".conf")
	hcl := beside(p.t, im, p.Dir)
	p.write("imported.hcl", hcl)
	p.t.Cleanup(func() {
		if p.t.Failed() {
			p.t.Logf("what was imported:\n%s", hcl)
		}
	})
	return r
}

// serviceRow names a service as ipvsadm does.
func serviceRow(k ipvsctl.ServiceKey) string {
	if k.Mark != 0 {
		return fmt.Sprintf("-f %d", k.Mark)
	}
	word := map[string]string{"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}[k.Protocol.String()]
	return word + " " + netip.AddrPortFrom(k.Addr, k.Port).String()
}

// owner is the configuration that has the service of a row, which begins with a sign.
func (r *conversion) owner(row string) *foreign {
	return r.owners[strings.Join(strings.Fields(row[1:])[:2], " ")]
}

// TestEveryConfigurationIsImportedWhole shows what of each does not come along.
func TestEveryConfigurationIsImportedWhole(t *testing.T) {
	for _, g := range append([]besideGroup{{folder: "keepalived/routers"}}, besideGroups...) {
		for _, c := range g.read(t) {
			t.Run(filepath.Join(g.folder, c.name), func(t *testing.T) {
				im, _ := g.convert(t, t.TempDir(), g.begin(t)+c.text)
				lines := strings.Split(g.begin(t)+c.text, "\n")
				for _, l := range im.Losses {
					told := slices.ContainsFunc(strings.Split(c.text, "\n"), func(s string) bool {
						words, ok := strings.CutPrefix(s, "# told: ")
						return ok && strings.Contains(lines[l.Line-1], words)
					})
					if l.Kind != importer.Note && !told {
						t.Errorf("%s: %s\n\t%s\n\t%s", l.Kind, l.Text, l.Reason, l.Remedy)
					}
				}
			})
		}
	}
}

// wordsFile is where the program "told" notes what it was told, on each director.
const wordsFile = "/run/imported/told.log"

// words are what programs on a director were told.
func (p *pair) words(h *cluster.Host) []string {
	p.t.Helper()
	text, err := h.Run(p.t.Context(), "sh", "-c", "cat "+wordsFile+" 2>/dev/null | sort")
	p.must(err)
	return strings.Split(text, "\n")
}

// prepare gives both directors the programs and files that configurations name.
func (p *pair) prepare() {
	p.t.Helper()
	client := newAuthority(p.t)
	key := filepath.Join(p.Dir, "client.key")
	p.must(os.WriteFile(filepath.Join(p.Dir, "client.pem"), []byte(client.pem()), 0o644))
	p.must(os.WriteFile(key, []byte(client.key(p.t)), 0o600))
	programs, err := filepath.Abs("testdata/imported/programs")
	p.must(err)
	for _, h := range p.Directors {
		_, err := h.Run(p.t.Context(), "sh", "-c", fmt.Sprintf("mkdir -m 755 /run/imported && cp %s/* %s/client.* /run/imported && chmod 755 /run/imported/*[a-z] && chmod 600 /run/imported/client.key && echo 3 >/run/imported/load", programs, p.Dir))
		p.must(err)
	}
	p.files("0", "web1", "web2")
	p.files("1", "web3")
}

// files writes the number that files of servers have, on both directors.
func (p *pair) files(number string, servers ...string) {
	p.t.Helper()
	for _, h := range p.Directors {
		script := ""
		for _, s := range servers {
			for _, name := range []string{"closed-" + s, "open-" + s} {
				script += "echo " + number + " >/run/imported/" + name + "\n"
			}
		}
		_, err := h.Run(p.t.Context(), "sh", "-c", script)
		p.must(err)
	}
}
