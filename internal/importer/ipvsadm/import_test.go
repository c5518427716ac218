package ipvsadm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/golden"
	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
	peer "github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

var names = peer.Names{Services: peer.ParseServices("http 80/tcp\n")}

func TestTablesBecomeServices(t *testing.T) {
	for _, name := range []string{"saved", "script"} {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join("testdata", name)
			text, err := os.ReadFile(base + ".rules")
			if err != nil {
				t.Fatal(err)
			}
			r, err := Import(base+".rules", text, names)
			if err != nil {
				t.Fatal(err)
			}
			_, losses := importertest.Written(r)
			golden.Check(t, base+".losses", losses)
			golden.Check(t, base+".hcl", importertest.Validate(t, r))
		})
	}
}

// What a shell would do with these lines is done, or told.
func TestLinesOfScripts(t *testing.T) {
	const add = "ipvsadm -A -t 10.13.0.200:80\n"
	for _, tt := range []struct {
		name, text string
		want       string // a line of the configuration, or of the losses
	}{
		{"a word before nothing", "sudo\n", "1: lost: sudo"},
		{"a comment is not continued", "# web \\\n" + add, `address = "10.13.0.200"`},
		{"nothing follows the last line", `ipvsadm -A -t 10.13.0.200:80 \`, `address = "10.13.0.200"`},
		{"lines are continued", "ipvsadm -A \\\n  -t 10.13.0.200:80\n", `address = "10.13.0.200"`},
		{"the stop of an init script", "case $1 in\nstart)\n" + add + ";;\nstop)\nipvsadm -C\n;;\nesac\n", `address = "10.13.0.200"`},
		{"an address that is a constant", "VIP=10.13.0.200\nipvsadm -A -t $VIP:80 -s rr\n", `address   = "10.13.0.200"`},
		{"constants within another one", "NET=10.13.0\nexport VIP=\"${NET}.200\"\nipvsadm -A -t ${VIP}:80 -s rr >/dev/null 2>&1\n", `address   = "10.13.0.200"`},
		{"an argument of the script", "VIP=$1\nipvsadm -A -t $VIP:80\n", "2: lost: ipvsadm -A -t $VIP:80"},
		{"what another program prints", "VIP=`hostname -i`\nipvsadm -A -t $VIP:80\n", "2: lost: ipvsadm -A -t $VIP:80"},
		{"a variable with two values", "VIP=10.13.0.200\nVIP=10.13.0.201\nipvsadm -A -t $VIP:80\n", "3: lost: ipvsadm -A -t $VIP:80"},
		{"a part of a value", "VIP=10.13.0.200\nipvsadm -A -t ${VIP%.*}.7:80\n", "2: lost: ipvsadm -A -t ${VIP%.*}.7:80"},
		{"within single quotes it is no variable", "VIP=10.13.0.200\nipvsadm -A -t '$VIP:80'\n", "2: lost: ipvsadm -A -t '$VIP:80'"},
		{"a loop's variable", "for n in 4 5; do ipvsadm -a -t 10.13.0.200:80 -r 192.168.1.$n; done\n", "1: lost: do ipvsadm"},
		{"a word that becomes a command", "I=/sbin/ipvsadm\n$I -A -t 10.13.0.200:80\n", `address = "10.13.0.200"`},
		{"a variable that grows without end", "A=aaaaaaaaaaaaaaaa\nB=$A$A$A$A$A$A$A$A$A$A$A$A$A$A$A$A\nC=$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B\nD=$C$C$C$C$C$C$C$C$C$C$C$C$C$C$C$C\n", "4: note: D="},
		{"an address on an interface", "ifconfig eth0:0 10.13.0.200 up\n", "1: lost: ifconfig"},
		{"forwarding", "echo 1 > /proc/sys/net/ipv4/ip_forward\n", "1: lost: echo 1"},
		{"a table that is cleared", add + "ipvsadm -C\n", "2: note: ipvsadm -C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Import("x", []byte(tt.text), names)
			if err != nil {
				t.Fatal(err)
			}
			if made, losses := importertest.Written(r); !strings.Contains(made+losses, tt.want) {
				t.Errorf("there is no %q:\n%s%s", tt.want, made, losses)
			}
		})
	}
}

// FuzzImport checks that no text makes the importer panic, that lvsd takes what it makes,
// and that each line with words is somewhere.
func FuzzImport(f *testing.F) {
	for _, name := range []string{"saved", "script"} {
		text, err := os.ReadFile(filepath.Join("testdata", name+".rules"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("sudo\n# a \\\nipvsadm -C \\")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Import("x", []byte(text), names)
		if err != nil {
			return
		}
		seen := r.Accounted()
		for n, line := range strings.Split(text, "\n") {
			line, _ = uncomment(strings.TrimSpace(line))
			if !strings.Contains(text, "\\") && len(commands(line)) > 0 && !seen[importer.Place{File: "x", Line: n + 1}] {
				t.Errorf("line %d came along nowhere: %q", n+1, line)
			}
		}
		if made, _ := importertest.Written(r); strings.Contains(made, "virtual_service") {
			importertest.Validate(t, r)
		}
	})
}
