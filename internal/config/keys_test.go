package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// What is wrong with a key is told at the line that names it, whoever judges it.
func TestKeysAreJudgedWhereTheyAreNamed(t *testing.T) {
	s := config.SourcesOf(t, `virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  authentication {
    key "1" { file = "/absent" }
    key "2" { file = "/doubtful" }
    key "3" { credential = "vrrp" }
    signer = 1
  }
}
`)
	var asked []string
	m := config.Machine{Key: func(file, credential string) (bool, error) {
		asked = append(asked, file+":"+credential)
		switch file {
		case "/absent":
			return false, errors.New("there is none")
		case "/doubtful":
			return true, errors.New("nobody can read it")
		default:
			return false, nil
		}
	}}
	_, diags := config.ParseWith(s, config.Options{Node: "lvs1"}, m, nil)
	var got []string
	for _, d := range diags {
		got = append(got, d.String())
	}
	told := strings.Join(got, "\n")
	if len(diags) != 2 || !strings.Contains(told, ":6: Unusable key: There is none.") || !strings.Contains(told, ":7: Key that the service cannot read: Nobody can read it.") {
		t.Errorf("told\n%s", told)
	}
	if want := "/absent: /doubtful: :vrrp"; strings.Join(asked, " ") != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// So it is with passwords of checks, each once however many services have it.
func TestPasswordsAreJudgedWhereTheyAreNamed(t *testing.T) {
	service := func(name, port, check string) string {
		return "virtual_service \"" + name + "\" {\n  address = \"10.13.0.200\"\n  port = " + port + "\n  forward = \"nat\"\n  real_server \"192.168.1.4\" {}\n  real_server \"192.168.1.5\" {}\n  " + check + "\n}\n"
	}
	s := config.SourcesOf(t, service("a", "1", `check "redis" { password_file = "/absent" }`)+service("b", "2", `check "redis" { password_file = "/absent" }`)+
		service("c", "3", `check "redis" { password_file = "/doubtful" }`)+service("d", "4", "check \"radius\" {\nsecret_credential = \"radius\"\n}"))
	var asked []string
	m := config.Machine{Password: func(file, credential string) (bool, error) {
		asked = append(asked, file+":"+credential)
		switch file {
		case "/absent":
			return false, errors.New("there is none")
		case "/doubtful":
			return true, errors.New("nobody can read it")
		default:
			return false, nil
		}
	}}
	_, diags := config.ParseWith(s, config.Options{Node: "lvs1"}, m, nil)
	var told []string
	for _, d := range diags {
		told = append(told, d.String())
	}
	all := strings.Join(told, "\n")
	if len(diags) != 2 || !strings.Contains(all, ":7: Unusable password: There is none.") || !strings.Contains(all, ":23: Password that the service cannot read: Nobody can read it.") {
		t.Errorf("told\n%s", all)
	}
	if want := "/absent: /doubtful: :radius"; strings.Join(asked, " ") != want {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}
