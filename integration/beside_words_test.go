package integration

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// unusedWords are those with a counterpart that no configuration of testdata/imported has, by
// the reasons why.
var unusedWords = map[string]map[string]string{
	"keepalived": {
		"Debian's keepalived does not know it": `suppress_prefixlen no_virtual_ipaddress vrrp_delay_after_boot auth_hmac active_key
			anti_replay time_window sni_name mh_port mh_fallback sh_port sh_fallback`,
		"another word for the same is there":                                "no_accept strict_mode lvs_flush_onstop vmac_garp_intvl vrrp_vmac_garp_intvl",
		"the time between announcements is not compared here":               "garp_extra_if vrrp_garp_extra_if",
		"what becomes of it has another form, a program that reads objects": "notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script notify_priority_changes vrrp_notify_priority_changes",
		"it is imported as something that differs, and told":                "notify_deleted regex_min_offset regex_max_offset",
		"what sync daemons do is shown by TestAConnectionSurvivesMoves":     "lvs_sync_daemon lvs_sync_daemon_interface",
		"it is of the director's machine, and no part of its table":         "vrf include_check",
		"a port of one's own is free only a while after each probe":         "bind_port",
		"its packets are what counts, and TestServicesOfMarked sends them":  "nftables_ipvs nftables_ipvs_start_fwmark",
	},
	"ldirectord": {
		"the real servers here ask nobody who they are": "login passwd secret",
		"nobody takes servers from the table":           "readdquiescent",
		"it is imported as something that differs":      "external-perl",
		"Debian's ldirectord does not know it":          "negotiateinterval",
	},
}

// unknownWords are in no configuration at all: the program that is named does not know them.
var unknownWords = map[string]string{
	"keepalived": "bfd checker_smtp_alert",
	"ldirectord": "negotiateinterval",
}

// TestEveryWordIsImportedSomewhere looks for the words of other programs in what is run beside
// them, and in the configurations whose import is written down, with all that is lost.
func TestEveryWordIsImportedSomewhere(t *testing.T) {
	for _, program := range []string{"keepalived", "ldirectord", "Heartbeat"} {
		folder := strings.ToLower(program)
		used := wordsOf(t, filepath.Join("../internal/importer", folder, "testdata"))
		if program != "Heartbeat" {
			maps.Copy(used, wordsOf(t, filepath.Join(importedFiles, folder)))
		}
		for _, word := range config.ForeignWords(program) {
			if used[word] == slices.Contains(strings.Fields(unknownWords[program]), word) {
				t.Errorf("%s: %s is used: %v", program, word, used[word])
			}
		}
	}
}

// TestEveryWordWithACounterpartIsUsed looks for the words of other programs that have a
// counterpart in what is run beside these programs.
func TestEveryWordWithACounterpartIsUsed(t *testing.T) {
	for program, reasons := range unusedWords {
		used := wordsOf(t, filepath.Join(importedFiles, program))
		excused := map[string]string{}
		for reason, words := range reasons {
			for word := range strings.FieldsSeq(words) {
				excused[word] = reason
			}
		}
		for _, word := range config.ForeignWords(program) {
			w, _ := config.Foreign(program, word)
			switch {
			case !w.Counterpart || used[word] && excused[word] == "":
			case used[word]:
				t.Errorf("%s: %s is used: take it out of the list", program, word)
			case excused[word] == "":
				t.Errorf("%s: %s is used by no configuration", program, word)
			}
			delete(excused, word)
		}
		if len(excused) > 0 {
			t.Errorf("%s has no such words: %s", program, slices.Sorted(maps.Keys(excused)))
		}
	}
}

// wordsOf are all words in the configurations of a folder.
func wordsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "fuzz" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || slices.Contains([]string{".hcl", ".losses"}, filepath.Ext(path)) {
			return err // what becomes of them
		}
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t\n={}", r) }) {
				words[word] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return words
}
