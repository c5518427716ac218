package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/api"
)

// keepalivedSite is a configuration of keepalived, of a director with a priority.
func keepalivedSite(t *testing.T, priority, more string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keepalived.conf")
	text := "vrrp_instance outside {\n  interface eth0\n  virtual_router_id 51\n  priority " + priority + `
  authentication {
    auth_type PASS
    auth_pass s3cret12
  }
  virtual_ipaddress {
    10.13.0.200/24
  }
}
` + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const keepalivedService = "virtual_server 10.13.0.200 80 {\n  protocol TCP\n  lb_kind DR\n  real_server 192.168.1.4 80 {\n    TCP_CHECK {\n    }\n  }\n}\n"

// TestImport by its exit statuses: 0 whole, 4 with losses, 1 not readable, 2 asked wrongly.
func TestImport(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		exit   int
		stdout string // a part of it
		stderr string
	}{
		{"two directors", []string{"--node", "lvs1=" + keepalivedSite(t, "150", ""), "--node", "lvs2=" + keepalivedSite(t, "100", "")}, 0, "priority  = { lvs1 = 150, lvs2 = 100 }[node.name]", "/etc/lvsd/outside.password"},
		{"a word without a counterpart", []string{keepalivedSite(t, "150", "global_defs {\n  smtp_alert\n}\n")}, exitDifferences, `virtual_router "outside" {`, "keepalived.conf:14: lost: smtp_alert\n"},
		{"a note is no loss", []string{keepalivedSite(t, "150", "global_defs {\n  router_id LVS1\n}\n")}, 0, "version   = 2", "nothing is lost; 2 notes"},
		{"but with --strict", []string{"--strict", keepalivedSite(t, "150", "global_defs {\n  router_id LVS1\n}\n")}, exitDifferences, "", "note: router_id LVS1"},
		{"another program's file", []string{"../../examples/lvsd.hcl"}, exitFailure, "", "is it the configuration of keepalived?"},
		{"no such file", []string{"testdata/missing.conf"}, exitFailure, "", "testdata/missing.conf"},
		{"no file", nil, exitUsage, "", "which file?"},
		{"two files", []string{"a.conf", "b.conf"}, exitUsage, "", "has one file"},
		{"a node without a file", []string{"--node", "lvs1"}, exitUsage, "", "write NAME=FILE"},
		{"both", []string{"--node", "lvs1=a", "b"}, exitUsage, "", "and not both"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, exit := command(t, append([]string{"import", "keepalived"}, tt.args...)...)
			if exit != tt.exit || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit status %d, want %d; %q, want %q; %q, want %q", exit, tt.exit, stdout, tt.stdout, stderr, tt.stderr)
			}
			if strings.Contains(stdout+stderr, "s3cret12") {
				t.Error("it prints a password")
			}
		})
	}
}

// TestImportOfATable makes services of what ipvsadm has saved.
func TestImportOfATable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ipvsadm.rules")
	if err := os.WriteFile(path, []byte("-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, exit := command(t, "import", "ipvsadm", path)
	if exit != 0 || !strings.Contains(stdout, `real_server "10.0.0.1" { weight = 3 }`) || !strings.Contains(stderr, "ipvsadm checks no real server") {
		t.Errorf("%d: %s%s", exit, stdout, stderr)
	}
}

// TestImportIntoAFolder writes files that lvsd takes, and none over another one.
func TestImportIntoAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "lvsd")
	args := []string{"import", "keepalived", "--output", folder, keepalivedSite(t, "150", keepalivedService)}
	if stdout, stderr, exit := command(t, args...); exit != 0 || !strings.HasPrefix(stdout, "wrote "+folder+"/lvsd.hcl, ") {
		t.Fatalf("%d: %s%s", exit, stdout, stderr)
	}
	for name, part := range map[string]string{"lvsd.hcl": `file("outside.password")`, "10.13.0.200-80.hcl": `virtual_service "10.13.0.200:80" {`, "outside.password": "s3cret12"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(text), part) {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
	if info, err := os.Stat(filepath.Join(folder, "outside.password")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the password: %v %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(filepath.Join(folder, "lvsd.hcl"))
	args[len(args)-1] = keepalivedSite(t, "90", keepalivedService)
	if _, stderr, exit := command(t, args...); exit != exitFailure || !strings.Contains(stderr, "lvsd.hcl is there already: nothing was written") {
		t.Errorf("over other files: %d: %s", exit, stderr)
	}
	if after, _ := os.ReadFile(filepath.Join(folder, "lvsd.hcl")); string(after) != string(before) {
		t.Error("it was overwritten")
	}
	if _, stderr, exit := command(t, append(args, "--force")...); exit != 0 {
		t.Errorf("with --force: %d: %s", exit, stderr)
	}
}

// TestNothingIsWrittenThatLVSDWouldRefuse, over what is good.
func TestNothingIsWrittenThatLVSDWouldRefuse(t *testing.T) {
	folder := t.TempDir()
	good := filepath.Join(folder, "lvsd.hcl")
	if err := os.WriteFile(good, []byte("# good\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := keepalivedSite(t, "150", "SSL {\n  certificate /nonexistent/client.pem\n}\n"+strings.Replace(keepalivedService, "TCP_CHECK {\n", "SSL_GET {\n      url {\n        path /\n      }\n", 1))
	_, stderr, exit := command(t, "import", "keepalived", "--output", folder, "--force", missing)
	if text, _ := os.ReadFile(good); exit != exitFailure || string(text) != "# good\n" || !strings.Contains(stderr, "nothing was written") {
		t.Errorf("%d: %s\n%s", exit, text, stderr)
	}
}

// TestImportAsJSON has the files and the losses.
func TestImportAsJSON(t *testing.T) {
	stdout, _, exit := command(t, "import", "keepalived", "-o", "json", keepalivedSite(t, "150", "smtp_alert\n"))
	var a api.Imported
	if err := json.Unmarshal([]byte(stdout), &a); err != nil || exit != exitDifferences {
		t.Fatalf("%d: %v: %s", exit, err, stdout)
	}
	if len(a.Files) != 1 || len(a.Losses) != 2 || a.Losses[0].Kind != "note" || a.Losses[1].Line != 13 || a.Losses[1].Kind != "lost" || len(a.Secrets) != 1 {
		t.Errorf("%+v", a)
	}
}

// TestImportLdirectord by its exit statuses.
func TestImportLdirectord(t *testing.T) {
	for _, tt := range []struct {
		name, text     string
		exit           int
		stdout, stderr string
	}{
		{"a site whole", "virtual=192.0.2.80:www\n\treal=192.168.6.2 gate\n", 0, `virtual_service "192.0.2.80:www"`, "nothing is lost"},
		{"mail", "emailalert=ops@example.org\nvirtual=192.0.2.80:80\n\treal=192.168.6.2 gate\n", exitDifferences, "", "ldirectord.cf:1: lost: emailalert=ops@example.org"},
		{"a name", "virtual=192.0.2.80:80\n\treal=web1 gate\n\treal=192.168.6.2 gate\n", exitDifferences, "", "there is no address for web1: names of hosts are not resolved"},
		{"indented by two", "virtual=192.0.2.80:80\n  real=192.168.6.2 gate\n", exitFailure, "", "ldirectord.cf:2: real does not belong to the service above it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "ldirectord.cf")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			stdout, stderr, exit := command(t, "import", "ldirectord", "--no-resolve", path)
			if exit != tt.exit || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit status %d, want %d; %q, want %q; %q, want %q", exit, tt.exit, stdout, tt.stdout, stderr, tt.stderr)
			}
		})
	}
}

// TestImportHeartbeat by its exit statuses, with files that all directors have, and those of each.
func TestImportHeartbeat(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ha := file("ha.cf", "keepalive 1\ndeadtime 10\nauto_failback off\nbcast eth0\nnode lvs1 lvs2\n")
	one := file("lvs1.cf", "auto_failback on\nucast eth0 192.0.2.12\nnode lvs1 lvs2\n")
	two := file("lvs2.cf", "auto_failback on\nucast eth0 192.0.2.11\nnode lvs1 lvs2\n")
	haresources := file("haresources", "lvs1 192.0.2.80/24/eth0 ldirectord::ldirectord.cf\n")
	authkeys := file("authkeys", "auth 1\n1 sha1 s3cret12\n")
	open := file("keys", "auth 1\n1 sha1 s3cret12\n")
	if err := os.Chmod(open, 0o640); err != nil {
		t.Fatal(err)
	}
	services := file("ldirectord.cf", "cleanstop=yes\nvirtual=192.0.2.80:80\n\treal=192.168.6.2 gate\n")
	for _, tt := range []struct {
		name           string
		args           []string
		exit           int
		stdout, stderr string
	}{
		{"a site whole", []string{ha, haresources, authkeys, services}, 0, "missed_adverts = 10\n", "nothing is lost"},
		{"its services", []string{ha, haresources, authkeys, services}, 0, `virtual_service "192.0.2.80:80"`, "heartbeat.key1"},
		{"keys that others read", []string{ha, haresources, open, services}, 0, "", "keys:1: note: " + open + "\n    others than its owner may read this file"},
		{"without services", []string{ha, haresources, authkeys}, exitDifferences, "", "haresources:1: lost: ldirectord::ldirectord.cf"},
		{"each director's own", []string{"--node", "lvs1=" + one, "--node", "lvs2=" + two, haresources, services}, 0, `{ lvs1 = ["192.0.2.12"], lvs2 = ["192.0.2.11"] }[node.name]`, "nothing is lost"},
		{"one of two directors", []string{"--node", "lvs1=" + one, haresources}, exitFailure, "", "lvs2 is a node, too: give its ha.cf by --node lvs2=FILE"},
		{"both beside each other", []string{"--compare", ha, haresources, authkeys, services}, 0, "8 rows, and none differs\n", ""},
		{"a director that is none", []string{"--node", "lvs3=" + one, haresources}, exitFailure, "", "lvs3 is no node of these files, which have lvs1, lvs2"},
		{"nothing that moves", []string{ha, authkeys}, exitFailure, "", "haresources, which names what moves, is not among the files"},
		{"two of a kind", []string{ha, one, haresources}, exitFailure, "", "lvs1.cf:1: this is one more ha.cf"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, exit := command(t, append([]string{"import", "heartbeat", "--no-resolve"}, tt.args...)...)
			if exit != tt.exit || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
				t.Errorf("exit status %d, want %d; %q, want %q; %q, want %q", exit, tt.exit, stdout, tt.stdout, stderr, tt.stderr)
			}
			if strings.Contains(stdout+stderr, "s3cret12") {
				t.Error("it prints a secret")
			}
		})
	}
}
