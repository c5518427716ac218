package convert

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// whole: what is huge is as large as issue 11 has it, and not a part of that.
var whole = flag.Bool("huge", false, "read files of 10 MB; by make dropped")

// part is how much of so many there is without -huge.
func part(n int) int {
	if *whole {
		return n
	}
	return n / 4096
}

// huge repeats a text until it has 10 MB.
func huge(s string) string { return strings.Repeat(s, part(10<<20)/len(s)) }

// numbered writes a line so many times, with an address of its own.
func numbered(n int, line string) string {
	var b strings.Builder
	for i := range part(n) {
		b.WriteString(strings.ReplaceAll(line, "ADDRESS", fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)))
	}
	return b.String()
}

// hugeTexts are files that are long, or deep, or make more of themselves, and that take long where
// something grows with the square of them, by what they are.
func hugeTexts(program string) map[string]string {
	texts := map[string]string{
		"a word": huge("a"), "words": huge("a "), "quotes": huge(`"`), "a value": "a=" + huge("b"), "digits": huge("1"), "a comment": huge("#"), "no UTF-8": huge("\xff"),
		"100,000 braces": strings.Repeat("a {\n", part(100_000)), "100,000 braces in a line": strings.Repeat("{", part(100_000)), "lines that go on": huge("a \\\n"), "short lines": huge("a\n"),
	}
	for name, text := range map[string]map[string]string{
		"keepalived": {
			"~SEQ of a billion": "~SEQ(N,1,1000000000) a$N\n", "~SEQ in ~SEQ": "~SEQ(A,1,30000) ~SEQ(B,1,30000) ~SEQ(C,1,30000) a$A$B$C\n",
			"values of values": "$A=aaaaaaaa\n$B=$A$A$A$A$A$A$A$A\n$C=$B$B$B$B$B$B$B$B\n$D=$C$C$C$C$C$C$C$C\n$E=$D$D$D$D$D$D$D$D\n$F=$E$E$E$E$E$E$E$E\n$G=$F$F$F$F$F$F$F$F\na $G\n",
			"long values":      "$A=" + strings.Repeat("b", 60_000) + "\n" + strings.Repeat("a $A\n", part(100_000)), "ids": numbered(100_000, "@xADDRESS a\n"),
			"services": numbered(50_000, "virtual_server ADDRESS 80 {\nreal_server 192.0.2.1 80 {\n}\n}\n"), "servers": "virtual_server 192.0.2.1 80 {\n" + numbered(50_000, "real_server ADDRESS 80 {\n}\n") + "}\n",
			"routers": numbered(50_000, "vrrp_instance ADDRESS {\nvirtual_router_id 1\ninterface eth0\n}\n"),
		},
		"ldirectord": {
			"services": numbered(50_000, "virtual=ADDRESS:80\n\treal=192.0.2.1 gate\n"), "servers": "virtual=192.0.2.1:80\n" + numbered(60_000, "\treal=ADDRESS gate\n"), "ranges": "virtual=192.0.2.1:80\n\treal=10.0.0.1->10.255.255.255:80 gate\n",
			"services without an address": strings.Repeat("virtual=nowhere:80\n\treal=nowhere gate\n", part(50_000)), "remarks": "virtual=192.0.2.1:80\n" + strings.Repeat("\tcomment=a\n", part(100_000)),
		},
		"ipvsadm": {
			"services": numbered(50_000, "-A -t ADDRESS:80\n"), "servers": "-A -t 192.0.2.1:80\n" + numbered(50_000, "-a -t 192.0.2.1:80 -r ADDRESS\n"), "commands": huge("a;"),
			"long values": "A=" + strings.Repeat("b", 60_000) + "\n" + strings.Repeat("-A -t $A\n", part(50_000)), "names": strings.Repeat(strings.Repeat("$a", 30_000)+"\n", 1+part(50)), "long names": strings.Repeat("$"+strings.Repeat("a", 60_000)+"\n", part(64)),
		},
		"heartbeat": {
			"things that move": strings.Repeat("lvs1 10.0.0.1/24/eth0\n", part(40_000)), "arguments": "lvs1 10.0.0.1/24/eth0 a" + strings.Repeat("::b", part(300_000)), "pings": strings.Repeat("ping 10.0.0.1\n", part(50_000)), "keys": "auth 1\n" + strings.Repeat("1 crc\n", part(100_000)),
		},
	}[program] {
		texts[name] = text
	}
	return texts
}

// TestHugeFilesAreReadInBoundedTimeAndMemory, or refused, whatever is in them. Most take some
// hundredths of a second.
func TestHugeFilesAreReadInBoundedTimeAndMemory(t *testing.T) {
	for _, p := range Programs {
		for name, text := range hugeTexts(p.Name) {
			t.Run(p.Name+"/"+name, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				_, err := Read(Request{Program: p.Name, Files: []string{"-"}, Stdin: strings.NewReader(text), Host: "lvs1"})
				took := time.Since(began)
				runtime.ReadMemStats(&after)
				if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; took > time.Minute || mb > 2048 {
					t.Errorf("it took %v and %d MB", took, mb)
				}
				if err != nil && len(err.Error()) > 1000 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			})
		}
	}
}

func TestFilesThatIncludeEachOtherAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.conf": "include b.conf\n", "b.conf": "include *.conf\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Read(Request{Program: "keepalived", Files: []string{filepath.Join(dir, "a.conf")}, Host: "lvs1"})
	if err == nil || !strings.Contains(err.Error(), "b.conf:1") || !strings.Contains(err.Error(), "includes itself") {
		t.Error(err)
	}
}
