package convert

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestATemplateIsToldInOneLine(t *testing.T) {
	const router = "vrrp_instance a {\n  interface %i\n  virtual_router_id 3\n  virtual_ipaddress {\n    %a\n  }\n}\n"
	made := func(iface, address string) string {
		return strings.NewReplacer("%i", iface, "%a", address).Replace(router)
	}
	for name, tt := range map[string]struct{ program, text, want string }{
		"Jinja":                        {"keepalived", made("{{ iface }}", "{{ vip }}/24"), ":2: {{ iface }} is a placeholder, as on 1 line below"},
		"a statement of Jinja":         {"keepalived", "{% if x %}\n" + made("eth0", "10.0.0.1") + "{% endif %}\n", ":1: {% if x %} is a placeholder, as on 1 line below"},
		"Jinja in quotes":              {"keepalived", "vrrp_script s {\n  script \"{{ check }}\"\n}\n" + made("eth0", "10.0.0.1"), ":2: {{ check }} is a placeholder"},
		"ERB":                          {"keepalived", made("<%= @interface %>", "10.0.0.1"), ":2: <%= @interface %> is a placeholder"},
		"Go":                           {"keepalived", made("{{.Iface}}", "10.0.0.1"), ":2: {{.Iface}} is a placeholder"},
		"words to be replaced by hand": {"keepalived", made("<INTERFACE>", "<VIP>/24"), ":2: <INTERFACE> is a placeholder, as on 1 line below"},
		"envsubst":                     {"keepalived", made("$IFACE", "${VIP}/24"), ":2: $IFACE is a placeholder, as on 1 line below"},
		"sed":                          {"keepalived", made("eth0", "__VIP__"), ":5: __VIP__ is a placeholder"},
		"in ldirectord's":              {"ldirectord", "virtual=${VIP}:80\n\treal=10.0.0.2:80 gate\n", ":1: ${VIP} is a placeholder"},
		"keepalived's own variables":   {"keepalived", "$IFACE=eth0\n" + made("$IFACE", "10.0.0.1"), ""},
		"a comment":                    {"keepalived", "# {{ ansible_managed }}\n" + made("eth0", "10.0.0.1"), ""},
		"what Docker prints":           {"keepalived", "vrrp_script s {\n  script \"/usr/bin/docker inspect -f '{{.State}}' a\"\n}\n" + made("eth0", "10.0.0.1"), ""},
		"a redirection":                {"keepalived", "vrrp_script s {\n  script \"</dev/tcp/10.0.0.1/80\"\n}\n" + made("eth0", "10.0.0.1"), ""},
		"a password":                   {"keepalived", strings.Replace(made("eth0", "10.0.0.1"), "  virtual_router", "  authentication {\n auth_type PASS\n auth_pass <a>$b\n }\n  virtual_router", 1), ""},
		"a variable of the shell's":    {"ipvsadm", "VIP=10.0.0.1\nipvsadm -A -t $VIP:80 -s rr\nipvsadm -a -t $VIP:80 -r 10.0.0.2:80 -g\n", ""},
		"a file that includes others":  {"keepalived", "include /nonexistent/*.conf\n" + made("$IFACE", "10.0.0.1"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "conf")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(Request{Program: tt.program, Files: []string{path}, Host: "lvs1"})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestAFileOfOneDirectorIsToldSo(t *testing.T) {
	for name, tt := range map[string]struct{ lines, want string }{
		"a priority":            {"priority 120\n", "priority"},
		"a source":              {"priority 120\nunicast_src_ip 10.0.0.5\nunicast_peer {\n10.0.0.6\n}\n", "unicast_src_ip"},
		"nothing of the kind":   {"", ""},
		"those of all, by name": {"@lvs1 priority 120\n@lvs2 priority 110\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "k.conf")
			text := "vrrp_instance a {\ninterface eth0\nvirtual_router_id 3\n" + tt.lines + "virtual_ipaddress {\n10.0.0.1\n}\n}\n"
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			im, err := Read(Request{Program: "keepalived", Files: []string{path}, Host: "lvs1"})
			if err != nil {
				t.Fatal(err)
			}
			told := ""
			for _, l := range im.Losses {
				if strings.HasPrefix(l.Reason, "this is one director's") {
					told = l.Text
				}
			}
			if told != tt.want {
				t.Errorf("told of %q, want %q", told, tt.want)
			}
		})
	}
}

// A mistake in what was made says of which lines it was made.
func TestWhatLvsdRefusesIsTracedToItsLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k.conf")
	text := "vrrp_instance a {\ninterface eth0:1\nvirtual_router_id 3\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n" +
		"vrrp_instance b {\ninterface eth1\nvirtual_router_id 3\nvirtual_ipaddress {\n10.0.0.2\n}\n}\n" +
		"vrrp_instance c {\ninterface eth1\nvirtual_router_id 3\nvirtual_ipaddress {\n10.0.0.3\n}\n}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	im, err := Read(Request{Program: "keepalived", Files: []string{path}, Host: "lvs1"})
	if err != nil {
		t.Fatal(err)
	}
	_, refused, err := im.Compared()
	if err != nil {
		t.Fatal(err)
	}
	var all string
	for _, d := range refused {
		all += d.Summary + ": " + d.Detail + "\n"
	}
	for _, want := range []string{"Invalid interface", path + ":2.", "Duplicate virtual router id", path + ":17."} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
}
