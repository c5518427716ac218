package config_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/lvsd/lvsd/internal/config"
)

// A draft is a configuration that is edited at random.
type draft struct {
	*rand.Rand
	dir   string
	files [3][]string // the blocks of each file
	next  int
	o     config.Options
	env   map[string]string
}

func newDraft(t *testing.T, seed uint64) *draft {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), env: map[string]string{"PORT": "80"}}
	d.o = options()
	d.o.Env = func(name string) (string, bool) { v, ok := d.env[name]; return v, ok }
	d.files[0] = []string{
		"locals {\n  share = 2\n  greeting = file(\"greeting\")\n}\n",
		"virtual_router \"outside\" {\n  interface = \"eth0\"\n  id = 51\n  addresses = [\"10.13.0.200/24\"]\n}\n",
	}
	d.put("greeting", "/hello")
	d.files[1] = []string{"defaults {\n  check \"http\" {\n    path = local.greeting\n    rise = 2\n  }\n}\n"}
	authority, err := os.ReadFile("testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	d.put("ca.pem", string(authority))
	for range 20 {
		d.insert(d.service())
	}
	return d
}

func (d *draft) put(name, text string) {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
		panic(err)
	}
}

// service writes a block of its own: with and without warnings, files, locals
// and generated servers.
func (d *draft) service() string {
	d.next++
	body := []string{
		"real_server \"192.168.1.4\" {}",
		"scheduler = \"rr\"\n  real_server \"192.168.1.4\" { weight = 3 }",
		"real_server \"192.168.1.4\" { weight = local.share }",
		"check \"http\" { path = local.greeting }\n  real_server \"192.168.1.4\" {}",
		"check \"http\" {}\n  real_server \"192.168.1.4\" {}",
		"check \"https\" {\n    tls { ca_file = \"ca.pem\" }\n  }\n  real_server \"192.168.1.4\" {}",
		"dynamic \"real_server\" {\n    for_each = [4, 5]\n    labels = [\"192.168.1.${real_server.value}\"]\n    content {}\n  }",
		"",
	}[d.IntN(8)]
	address := []string{"10.13.0.200", "10.13.0.200", "10.13.0.15", "10.99.0.1"}[d.IntN(4)]
	return fmt.Sprintf("virtual_service \"s%d\" {\n  address = %q\n  port = 1000 + %d\n  forward = \"nat\"\n  %s\n}\n", d.next, address, d.next, body)
}

func (d *draft) insert(block string) {
	f := &d.files[d.IntN(len(d.files))]
	i := d.IntN(len(*f) + 1)
	*f = append((*f)[:i:i], append([]string{block}, (*f)[i:]...)...)
}

// pick returns a block that is there.
func (d *draft) pick() *string {
	for {
		if f := d.files[d.IntN(len(d.files))]; len(f) > 0 {
			return &f[d.IntN(len(f))]
		}
	}
}

func (d *draft) replace(old, new string) {
	b := d.pick()
	*b = strings.ReplaceAll(*b, old, new)
}

// edit makes one change, of which some are mistakes and some take them back.
func (d *draft) edit() {
	switch d.IntN(18) {
	case 0:
		d.insert(d.service())
	case 1:
		d.insert("# a comment\n\n")
	case 2:
		d.insert("/* before it on its line */ " + d.service())
	case 3:
		d.insert(*d.pick()) // everything twice
	case 4, 5:
		*d.pick() = ""
	case 6:
		d.insert("dynamic \"virtual_service\" {\n  for_each = [1]\n  labels = [\"d\"]\n  content {\n    address = \"10.13.0.200\"\n    port = 7\n    forward = \"nat\"\n  }\n}\n")
	case 7:
		d.replace("share = 2", "share = 3")
	case 8:
		d.replace("share = 3", "share = 2")
	case 9:
		d.replace("nat", "direct")
	case 10:
		d.replace("direct", "nta")
	case 11:
		d.replace("nta", "nat")
	case 12:
		d.put("greeting", []string{"/hello", "/goodbye", "no path"}[d.IntN(3)])
	case 13:
		d.env["PORT"] = fmt.Sprint(d.IntN(3)) // some block mentions env.PORT
	case 14:
		d.replace("port = 1000", "port = env.PORT")
	case 16:
		d.replace("rise = 2", "rise = 3")
	case 17:
		d.replace("rise = 3", "rise = 2")
	case 15:
		d.replace("port = env.PORT", "port = 1000")
	}
}

func (d *draft) read(t *testing.T) config.Sources {
	for i, blocks := range d.files {
		d.put(fmt.Sprintf("%d.hcl", i), strings.Join(blocks, ""))
	}
	s := config.SourcesAt(t, d.dir)
	return s
}

// However a configuration is edited, one that is read with what is known of
// its blocks says what one that is read anew says.
func TestReusedBlocksSayTheSame(t *testing.T) {
	reused, valid := 0, 0
	for seed := range uint64(8) {
		d := newDraft(t, seed)
		summaries, known := map[config.Key][]byte{}, map[config.Key]config.Block{}
		for step := range 40 {
			s := d.read(t)
			anew, wantDiags := config.ParseWith(s, d.o, machine(), nil)
			want := anew.Complete(nil)
			out, diags := config.ParseWith(s, d.o, machine(), summaries)
			if diff := cmp.Diff(wantDiags, diags); diff != "" {
				t.Fatalf("seed %d, step %d: diagnostics (-anew +reused):\n%s", seed, step, diff)
			}
			got := out.Complete(known)
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})); diff != "" {
				t.Fatalf("seed %d, step %d: configuration (-anew +reused):\n%s", seed, step, diff)
			}
			place := 0
			for _, b := range out.Blocks {
				if got != nil && len(b.Services) > 0 && &b.Services[0] != &got.Services[place] {
					t.Fatalf("seed %d, step %d: what is kept of the block at %s is a copy", seed, step, b.Source)
				}
				place += len(b.Services)
				if b.Reused {
					reused++
				} else if b.Summary != nil {
					summaries[b.Key] = b.Summary
				}
				if b.Reused || b.Summary != nil {
					known[b.Key] = b
				}
			}
			if want != nil {
				valid++
			}
			d.edit()
		}
	}
	if reused < 300 || valid < 40 {
		t.Errorf("%d blocks were reused in %d valid configurations: too few to say something", reused, valid)
	}
}

// A line above, another file and another address of this machine are no reason
// to parse a block again; its text, the locals and the node are.
func TestWhatABlockIsParsedAgainFor(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.hcl")
	o, m := options(), machine()
	known := map[config.Key][]byte{}
	const locals = "locals {\n  a = 1\n}\n"
	for _, change := range []struct {
		name   string
		do     func()
		reused bool
	}{
		{"the first time", func() { write(t, path, locals+webService) }, false},
		{"nothing", func() {}, true},
		{"lines above", func() { write(t, path, "# one\n# two\n"+locals+webService) }, true},
		{"another file", func() { write(t, filepath.Join(dir, "b.hcl"), webService); write(t, path, locals) }, true},
		{"another address of this machine", func() { m.Addresses = nil }, true},
		{"its text", func() { write(t, filepath.Join(dir, "b.hcl"), strings.Replace(webService, "80", "81", 1)) }, false},
		{"a local", func() { write(t, path, strings.Replace(locals, "1", "2", 1)) }, false},
		{"the node", func() { o.Node = "lvs2" }, false},
	} {
		change.do()
		s := config.SourcesAt(t, dir)
		out, diags := config.ParseWith(s, o, m, known)
		if diags.HasErrors() {
			t.Fatal(diags.Err())
		}
		if b := out.Blocks[0]; b.Reused != change.reused {
			t.Errorf("%s: reused is %v, want %v", change.name, b.Reused, change.reused)
		} else if !b.Reused {
			known[b.Key] = b.Summary
		}
	}
}

// What is no summary is not taken for one, and the block is parsed.
func TestBrokenSummariesAreNotUsed(t *testing.T) {
	s := config.SourcesOf(t, strings.Replace(webService, "{}", "{ weight = 2 }\n  scheduler = \"rr\"", 1))
	out, _ := config.ParseWith(s, options(), machine(), map[config.Key][]byte{})
	b := out.Blocks[0]
	for n := range len(b.Summary) {
		again, diags := config.ParseWith(s, options(), machine(), map[config.Key][]byte{b.Key: b.Summary[:n]})
		if again.Blocks[0].Reused || len(diags) != 1 {
			t.Errorf("%d of %d bytes were taken for a summary", n, len(b.Summary))
		}
	}
}

// Whoever waits can tell which block is being read, which local, and when it is
// done.
func TestReadingIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.hcl")
	write(t, path, "locals {\n  a = 1\n}\n"+webService)
	var mu sync.Mutex
	var told []string
	o := options()
	o.Reading = func(_ int, where string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, strings.TrimPrefix(where, filepath.Dir(path)+"/"))
	}
	parse(t, path, o)
	want := []string{"web.hcl:1: locals", "web.hcl:2: local.a", "", "web.hcl:4: virtual_service \"web\"", ""}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
