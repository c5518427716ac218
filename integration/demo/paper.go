package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/term"
)

// A paper is what the story is written on. It is coloured on a terminal.
type paper struct {
	out      io.Writer
	terminal bool
	colour   bool
	acts     int
	rows     []row
}

// A row is a figure, and stands in the table at the end.
type row struct{ what, value, note string }

func newPaper(out *os.File) *paper {
	terminal := term.IsTerminal(int(out.Fd()))
	return &paper{out: out, terminal: terminal, colour: terminal && os.Getenv("NO_COLOR") == ""}
}

// The parts of the story by their look (ECMA-48, SGR).
const (
	bold  = "1"
	green = "32"
	faint = "2"
)

func (p *paper) paint(look, text string) string {
	if !p.colour {
		return text
	}
	return "\x1b[" + look + "m" + text + "\x1b[0m"
}

func (p *paper) title(text string) {
	p.acts++
	fmt.Fprintf(p.out, "\n%s\n", p.paint(bold, fmt.Sprintf("%d. %s", p.acts, text)))
}

func (p *paper) line(format string, args ...any) {
	fmt.Fprintf(p.out, "   "+format+"\n", args...)
}

func (p *paper) quote(text string) {
	for line := range strings.Lines(strings.Trim(text, "\n")) {
		fmt.Fprintln(p.out, p.paint(faint, "   | "+strings.TrimRight(line, "\n")))
	}
}

// figure tells a figure, and remembers it for the table.
func (p *paper) figure(what, value, note string) {
	r := row{what, value, note}
	p.rows = append(p.rows, r)
	p.row(r)
}

func (p *paper) row(r row) {
	note := strings.TrimSuffix("  "+r.note, "  ")
	fmt.Fprintf(p.out, "   %-42s %s%s\n", r.what, p.paint(green, fmt.Sprintf("%9s", r.value)), note)
}

func (p *paper) table() {
	fmt.Fprintf(p.out, "\n%s\n", p.paint(bold, "All figures"))
	for _, r := range p.rows {
		p.row(r)
	}
}

// shellHelp says how to look around. The hosts share their processes' numbers,
// so daemons are named by theirs.
func (p *paper) shellHelp(hosts []string, config string, nginx, lvsd int) {
	fmt.Fprintf(p.out, "\n%s\n", p.paint(bold, "The cluster is running: look around, and exit to end it"))
	p.line("A host's name runs a command there, or a shell: %s.", strings.Join(hosts, ", "))
	for _, example := range [][2]string{
		{"lvs1 lvsd status", "routers, services, real servers"},
		{"lvs1 ipvsadm -Ln", "the kernel's table"},
		{"lvs1 ip -br addr", "who holds the address"},
		{"client ping 10.13.0.200", "the address, as the client sees it"},
		{fmt.Sprintf("kill %d", nginx), "nginx on web1 dies"},
		{fmt.Sprintf("kill %d", lvsd), "lvsd on lvs1 is stopped"},
		{"lvs1 ip link set eth0 down", "a director is cut off"},
		{"pkill -HUP -f 'lvsd run'", "both read " + config + " again"},
	} {
		p.line("  %-30s %s", example[0], p.paint(faint, example[1]))
	}
}

// shell runs a shell that finds the commands of the hosts, and lvsd.
func shell(ctx context.Context, hosts, lvsd, dir string) error {
	c := exec.CommandContext(ctx, "bash", "--norc", "-i")
	c.Env = append(os.Environ(), "PATH="+hosts+":"+lvsd+":"+os.Getenv("PATH"), `PS1=cluster\$ `)
	c.Dir = dir
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting a shell: %w", err)
	}
	_ = c.Wait() // with the status of its last command, which says nothing here
	return nil
}

// within is an error where something took longer than it may.
func within(what string, took, bound time.Duration) error {
	if took <= bound {
		return nil
	}
	return fmt.Errorf("%s: measured %s, expected at most %s", what, short(took), short(bound))
}

// short prints a duration to three digits or so.
func short(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
