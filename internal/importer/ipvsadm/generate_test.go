package ipvsadm

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// generatedLines are lines of saved tables and of scripts, in all commands of ipvsadm.
var generatedLines = []string{
	"<|ipvsadm |/sbin/ipvsadm |sudo ipvsadm ><-A|-A|-A|-E|--add-service> <SERVICE><| -s <rr|wlc|sh|mh|fancy>><|| -p <60|>| -p 300 -M <255.255.255.0|255.0.255.0|0.0.0.0>><|| -o| -b <sh-port|flag-1,flag-3>| --pe sip>",
	"<|ipvsadm ><-a|-a|-a|-a|-e> <SERVICE> -r <10.0.0.<1|2|3>|0.0.0.0><|:80|:8080|:http> <-g|-m|-i|-i --tun-type gue --tun-port 6080<| --tun-csum>><| -w <0|1|7>><|| -x 10| -y 5| -x 10 -y 5>",
	"<|ipvsadm ><-D <SERVICE>|-d <SERVICE> -r 10.0.0.1:80|-C|-Z|-L -n|-S|--set 900 0 300|--start-daemon=master --mcast-interface=eth0|--stop-daemon=backup|-A|-a -t x>",
	"<AUTO=\"true\"|DAEMON=\"<none|master>\"|IFACE=\"eth0\"|SYNCID=\"1\"|VIP=10.0.0.9|#!/bin/sh|# a remark|set -e|echo hello|case $1 in|stop)|;;|esac|exit 0|>",
	"ipvsadm -A -t $VIP:80<| \\>",
	"<-A -t 10.9.0.1:80; ipvsadm -A -t 10.9.0.2:80 && true|-A \\|-t 10.9.0.3:80>",
}

const generatedService = "<<-t|-u|--sctp-service> <192.0.2.<1|2>|0.0.0.0>:<80|53|http|nowhere>|-t [2001:db8::1]:80|-f <7|8><| -6>>"

func generatedText(seed uint64) string {
	g := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	for range 5 + g.IntN(30) {
		line := generatedLines[min(g.IntN(9), 5)%len(generatedLines)]
		if g.IntN(3) > 0 {
			line = generatedLines[g.IntN(2)]
		}
		b.WriteString(importertest.Choose(g, strings.ReplaceAll(line, "<SERVICE>", generatedService)) + "\n")
	}
	return b.String()
}

// checkGenerated imports what is generated: each command is somewhere, and lvsd takes what is
// made.
func checkGenerated(t *testing.T, seed uint64) {
	text := generatedText(seed)
	r, err := Import("x", []byte(text), names)
	if err != nil {
		t.Fatal(err)
	}
	seen := r.Accounted()
	continued := false
	for n, line := range strings.Split(text, "\n") {
		body, _ := uncomment(strings.TrimSpace(strings.TrimSuffix(line, `\`)))
		if !continued && len(commands(body)) > 0 && !seen[importer.Place{File: "x", Line: n + 1}] {
			t.Errorf("line %d came along nowhere: %q", n+1, line)
		}
		continued = strings.HasSuffix(line, `\`) // It is the first line that counts.
	}
	if made, _ := importertest.Written(r); strings.Contains(made, "virtual_service") {
		importertest.Validate(t, r)
	}
	if t.Failed() {
		t.Logf("seed %d:\n%s", seed, text)
	}
}

func TestNothingIsDroppedSilently(t *testing.T) { importertest.Seeds(t, checkGenerated) }

// FuzzNothingIsDropped is the same for as long as one likes.
func FuzzNothingIsDropped(f *testing.F) {
	f.Add(uint64(1000))
	f.Fuzz(checkGenerated)
}
