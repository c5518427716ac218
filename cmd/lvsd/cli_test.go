package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asCommand names the environment variable that makes this test's program be
// lvsd itself, so that the tests see what a script sees.
const asCommand = "LVSD_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command runs lvsd and returns what it printed and its exit status.
func command(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	return piped(t, "", args...)
}

// piped is command with a standard input.
func piped(t *testing.T, stdin string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=yes")
	var out, errs strings.Builder
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	if err := c.Run(); err != nil {
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			t.Fatal(err)
		}
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// file writes a configuration and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lvsd.hcl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	valid = `virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  real_server "192.168.1.4" {}
}
`
	router = `virtual_router "outside" {
  interface = "no-such0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
`
	broken = `virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  forward   = "nat"
  scheduler = "wrrr"
}
`
)

// TestCommandLine holds what scripts rely on: exit statuses, what goes to
// standard output, and what to standard error.
func TestCommandLine(t *testing.T) {
	elsewhere := file(t, router)
	good, bad, missing := file(t, valid), file(t, broken), filepath.Join(t.TempDir(), "missing")
	for _, tt := range []struct {
		name           string
		args           []string
		exit           int
		stdout, stderr string // a part of it; empty: all of it is
	}{
		{"validate: valid", []string{"validate", "--node", "lvs1", good}, 0,
			`lvsd.hcl is valid for node "lvs1": 0 virtual routers, 1 virtual service, 1 real server`, ""},
		{"validate: not valid", []string{"validate", "--node", "lvs1", bad}, 1, "", `Did you mean "wrr"?`},
		{"validate: not valid, for a program", []string{"validate", "-o", "json", bad}, 1, `"valid":false`, ""},
		{"validate: as run has it", []string{"validate", "--node", "lvs1", "--config", good}, 0, "is valid", ""},
		{"validate: the path twice", []string{"validate", "--config", good, good}, 2, "", "give the path once"},
		{"validate: as another director", []string{"validate", "--node", "lvs1", good}, 0, "so of its interfaces and addresses, only its own address was compared)", ""},
		{"validate: as this one", []string{"validate", good}, 0, "1 real server\n", "Address held by nobody"},
		{"validate: missing, for a program", []string{"validate", "-o", "json", missing}, 1, `"error":"there is no configuration at`, ""},
		{"validate: missing", []string{"validate", missing}, 1, "", "no configuration at " + missing},
		{"validate: an interface that is not here", []string{"validate", elsewhere}, 0, "is valid", `No interface "no-such0" on this machine`},
		{"validate --strict: an interface that is not here", []string{"validate", "--strict", elsewhere}, 1, "", "has warnings for node"},
		{"validate --strict: no warning", []string{"validate", "--strict", "--node", "another", elsewhere}, 0, "is valid", ""},
		{"validate --strict: for a program", []string{"validate", "--strict", "-o", "json", elsewhere}, 1, `"valid":false`, ""},
		{"validate: an interface of another node's", []string{"validate", "--node", "another", elsewhere}, 0, "is valid", ""},
		{"validate: empty", []string{"validate", file(t, "")}, 1, "", "Empty configuration"},
		{"validate: two paths", []string{"validate", good, bad}, 2, "", "validate reads one configuration: give a file, or a directory whose *.hcl files are read together\nRun \"lvsd validate --help\" for usage.\n"},
		{"run: not valid", []string{"run", "--config", bad, "--node", "lvs1"}, 78, "", `Did you mean "wrr"?`},
		{"run: missing", []string{"run", "--config", missing}, 1, "", "no configuration at " + missing},
		{"run: -config with one dash", []string{"run", "-config", good}, 2, "", "in -config"},
		{"run: an unknown flag", []string{"run", "--confg", good}, 2, "", "--confg"},
		{"status: no daemon answers", []string{"status", "--socket", missing}, 3, "", "systemctl start lvsd"},
		{"status: no daemon answers, for a program", []string{"status", "--socket", missing, "-o", "json"}, 3, "", "no lvsd answers"},
		{"status: for monitoring, a wrong command line", []string{"status", "--exit-code", "--frob"}, 3, "", "--frob"},
		{"status: for monitoring, a wrong word after it", []string{"status", "-o", "yaml", "--exit-code"}, 3, "", "write text, json or wide"},
		{"version", []string{"version"}, 0, "lvsd", ""},
		{"version, as others have it", []string{"--version"}, 0, "lvsd development (go", ""},
		{"version: the word of status", []string{"version", "-o", "table"}, 0, "lvsd", ""},
		{"validate: the word of status", []string{"validate", "-o", "table", "--node", "lvs1", good}, 0, "is valid", ""},
		{"validate: in colour", []string{"validate", "--color", bad}, 1, "", "\x1b["},
		{"help", []string{"help", "status"}, 0, "lvsd status [SERVICE...]", ""},
		{"help for nonsense", []string{"help", "nonsense"}, 2, "", `unknown command "nonsense"`},
		{"help for nonsense behind a command", []string{"help", "status", "nonsense"}, 2, "", `unknown command "nonsense"`},
		{"a command of another daemon: configtest", []string{"configtest"}, 2, "", "\tvalidate\n"},
		{"a command of another daemon: show", []string{"show"}, 2, "", "\tstatus\n"},
		{"a command of another daemon: start", []string{"start"}, 2, "", "\trun\n"},
		{"completion of a flag's value", []string{"__complete", "run", "--log-level", ""}, 0, "debug\ninfo\nwarn\nerror\n", "Completion ended"},
		{"completion of the word of --color", []string{"__complete", "status", "--color="}, 0, "auto\nalways\nnever\n", "Completion ended"},
		{"completion of the word of validate's --color", []string{"__complete", "validate", "--color="}, 0, "auto\nalways\nnever\n", "Completion ended"},
		{"completion of services without a daemon", []string{"__complete", "status", "--socket", missing, ""}, 0, ":4\n", "Completion ended"},
		{"completion for a shell that directors do not have", []string{"completion", "powershell"}, 0, "Available Commands", ""},
		{"an unknown command", []string{"vaildate"}, 2, "", "validate"},
		{"a command that is none at all", []string{"frob"}, 2, "", "\nRun \"lvsd --help\" for usage.\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, exit := command(t, tt.args...)
			if exit != tt.exit {
				t.Errorf("exit status %d, want %d", exit, tt.exit)
			}
			for _, s := range []struct{ name, got, want string }{{"output", stdout, tt.stdout}, {"error", stderr, tt.stderr}} {
				if (s.want == "") != (s.got == "") || !strings.Contains(s.got, s.want) {
					t.Errorf("standard %s is %q, want %q", s.name, s.got, s.want)
				}
			}
		})
	}
}

// A text that is in no file yet.
func TestValidateReadsStandardInput(t *testing.T) {
	for _, tt := range []struct {
		text           string
		exit           int
		stdout, stderr string
	}{
		{valid, 0, `standard input is valid for node "lvs1"`, ""},
		{broken, 1, "", "standard input:5, in virtual_service \"web\""},
		{"", 1, "", "Empty configuration"},
		{strings.Repeat("#\n", 9<<20), 1, "", "standard input has more than is left of the 16777216 bytes that are the limit"},
	} {
		stdout, stderr, exit := piped(t, tt.text, "validate", "--node", "lvs1", "-")
		if exit != tt.exit || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%.20q: %d, %q, %q; want %d, %q, %q", tt.text, exit, stdout, stderr, tt.exit, tt.stdout, tt.stderr)
		}
	}
}

// TestReadmesConfigurationIsValid takes the configuration out of README.md, as
// its readers will.
func TestReadmesConfigurationIsValid(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "\n```hcl\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("README.md shows no configuration")
	}
	for _, block := range blocks {
		text, _, closed := strings.Cut(block, "\n```\n")
		if !closed {
			t.Fatal("README.md has a configuration without an end")
		}
		path := file(t, text+"\n")
		for _, node := range []string{"lvs1", "lvs2"} {
			if _, stderr, exit := command(t, "validate", "--node", node, path); exit != 0 || stderr != "" {
				t.Errorf("as %s: exit status %d, want 0 and no warning:\n%s", node, exit, stderr)
			}
		}
	}
}
