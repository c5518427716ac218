package keepalived

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// A walk goes over statements, and has what was made of them so far.
type walk struct {
	importer.Result
	Options
	top      []*Statement
	director *importer.Block // nil while nothing is said about the daemon as a whole
	heading  []string        // comments that belong to the whole
	asked    bool            // it was told that programs have no user
	keys     map[string]bool // what may be there once
	ruled    int             // rules without a priority so far
}

// add adds a block at the top level.
func (w *walk) add(b *importer.Block) *importer.Block {
	w.Blocks = append(w.Blocks, b)
	return b
}

// settings returns the block director, which is there from now on.
func (w *walk) settings(from ...importer.Place) *importer.Block {
	if w.director == nil {
		w.director = importer.NewBlock("director")
		w.Blocks = append([]*importer.Block{w.director}, w.Blocks...)
	}
	return w.director.Of(from...)
}

// lose notes that a statement did not come along, or not exactly so.
func (w *walk) lose(kind importer.Kind, s *Statement, reason, remedy string) {
	w.loseText(kind, s, s.Raw, reason, remedy)
}

// loseText is lose for a part of a statement, or for one that shows a secret.
func (w *walk) loseText(kind importer.Kind, s *Statement, text, reason, remedy string) {
	w.Losses = append(w.Losses, importer.Loss{Place: s.Place, Kind: kind, Text: text, Reason: reason, Remedy: remedy})
}

// note notes that a statement makes no difference here.
func (w *walk) note(s *Statement, reason string) { w.lose(importer.Note, s, reason, "") }

// hidden stands in messages where a secret stands in a configuration.
const hidden = "…"

// harmless are words without a counterpart that change nothing of what clients see.
var harmless = sync.OnceValue(func() []string {
	return strings.Fields(` accept_mode bfd_cpu_affinity checker_cpu_affinity checker_log_all_failures checker_no_swap checker_priority
	checker_process_name checker_rlimit_rtime checker_rlimit_rttime checker_rt_priority child_wait_time config_save_dir
	data_use_instance bfd_priority bfd_no_swap bfd_rt_priority bfd_rlimit_rtime bfd_rlimit_rttime bfd_process_name
	debug fifo_write_vrrp_states_on_reload fork_delay higher_prio_send_advert include_check instance iproute_etc_dir iproute_usr_dir
	json_dump_file keep_script_fds kernel_rx_buf_size linkbeat_interfaces linkbeat_use_polling log_all_failures log_unknown_vrids
	lower_prio_no_advert lvs_netlink_cmd_rcv_bufs lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
	lvs_netlink_monitor_rcv_bufs_force lvs_process_name max_auto_priority min_auto_priority_delay namespace_with_ipsets native_ipv6
	nftables nftables_counters nftables_ifindex nftables_priority old_unicast_checksum owner_ignore_adverts preempt_delay_sec
	process_monitor_rcv_bufs process_monitor_rcv_bufs_force process_name process_names random_seed reload_check_config reload_file
	reload_repeat reload_time_file skip_check_adv_addr snmp_name state_dump_file stats_dump_file thread_timer_expired
	timer_expired_backup tmp_config_directory track_src_ip umask unicast_fault_no_peer use_pid_dir use_symlink_paths
	v3_checksum_as_v2 vrrp_higher_prio_send_advert vrrp_ipsets vrrp_iptables vrrp_lower_prio_no_advert vrrp_netlink_cmd_rcv_bufs
	vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs vrrp_netlink_monitor_rcv_bufs_force vrrp_no_swap
	vrrp_owner_ignore_adverts vrrp_priority vrrp_process_name vrrp_rlimit_rtime vrrp_rlimit_rttime vrrp_rt_priority
	vrrp_rx_bufs_multiplier vrrp_rx_bufs_policy vrrp_skip_check_adv_addr`)
})

// foreign notes a statement for which there is no rule, and all that is in its block, by
// the table of words that have no counterpart.
func (w *walk) foreign(s *Statement) {
	kind, reason, remedy := w.fate(s.Words[0])
	s.Comment = nil // they go with it
	w.lose(kind, s, reason, remedy)
	if (reason == noWord || reason == notHere) && s.HasBlock && w.goesOn(s) {
		w.lose(importer.Differs, s, "keepalived passes over the brace that opens it, so the one that ends it ends the block around it, and the rest of that is not read; here it is", "Look at what follows there: remove what is not to count.")
	}
	w.drop(kind, s)
}

// goesOn reports whether a statement is within a block, of which something follows it.
func (w *walk) goesOn(s *Statement) bool {
	return !slices.ContainsFunc(w.top, func(outer *Statement) bool {
		return outer == s || len(outer.Block) > 0 && outer.Block[len(outer.Block)-1] == s
	})
}

// The reasons why keepalived itself passes over a word.
const (
	noWord  = "keepalived has no such word here, and passes over it"
	notHere = "keepalived has this word in other blocks, and passes over it in this one"
)

// fate says what became of a word for which there is no rule.
func (w *walk) fate(word string) (kind importer.Kind, reason, remedy string) {
	f, known := config.Foreign("keepalived", word)
	unneeded := strings.HasPrefix(f.Advice, "Remove it")
	switch {
	case slices.Contains(harmless(), word):
		return importer.Note, cmp.Or(f.Advice, "it concerns how keepalived itself runs"), ""
	case word == "nat_mask":
		return importer.Note, "it is a word of old versions, and keepalived passes over it", ""
	case !known:
		return importer.Lost, noWord, ""
	case f.Counterpart && unneeded:
		return importer.Note, "lvsd needs no word for it", f.Advice
	case f.Counterpart:
		return importer.Lost, notHere, f.Advice
	}
	return importer.Lost, f.Fate, f.Advice
}

// inside notes what stands in a block that did not come along.
func (w *walk) inside(kind importer.Kind, outer, s *Statement) {
	w.gone(kind, s, belongs+outer.Words[0]+", which did not come along")
}

// belongs begins the reason of what stands in a block that did not come along.
const belongs = "it belongs to "

// gone notes a statement with all that is in its block, and shows no secrets.
func (w *walk) gone(kind importer.Kind, s *Statement, reason string) {
	s.Comment = nil // they go with it
	text := s.Raw
	if s.Is("auth_pass", "key") && len(s.Words) > 1 {
		text = s.Words[0] + " " + hidden
	}
	w.loseText(kind, s, text, reason, "")
	for _, inner := range s.Block {
		w.gone(kind, inner, reason)
	}
}

// drop notes that what stands in a block did not come along.
func (w *walk) drop(kind importer.Kind, outer *Statement) {
	for _, inner := range outer.Block {
		w.inside(kind, outer, inner)
	}
}

// extra notes the words of a statement after those that were read.
func (w *walk) extra(s *Statement, read int) {
	if len(s.Words) > read {
		w.loseText(importer.Note, s, strings.Join(s.Words[read:], " "), "nothing is expected here after "+strings.Join(s.Words[:read], " ")+", and keepalived passes over it", "")
	}
}

// whole reads a word of a statement that is a whole number from lo to hi; what is none
// is told.
func (w *walk) whole(s *Statement, at, lo, hi int) (n int, ok bool) {
	n, err := strconv.Atoi(s.Arg(at))
	if err != nil || n < lo || n > hi {
		w.lose(importer.Lost, s, "a number from "+strconv.Itoa(lo)+" to "+strconv.Itoa(hi)+" was expected, and keepalived does not take this either", "")
		return 0, false
	}
	return n, true
}

// span reads a word that is a time in seconds, with decimals.
func (w *walk) span(s *Statement, at int) (t time.Duration, ok bool) {
	t, ok = seconds(s.Arg(at))
	if !ok || t > 1e6*time.Second {
		w.lose(importer.Lost, s, "a number of seconds was expected, and keepalived does not take this either", "")
		return 0, false
	}
	return t, true
}

// maxSeconds is more than any time that makes sense, and fits into a Duration.
const maxSeconds = 1 << 32

// seconds reads a time as keepalived has it: "6", "0.5".
func seconds(text string) (time.Duration, bool) {
	if strings.Trim(text, "0123456789.") != "" || text == "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f > maxSeconds {
		return 0, false
	}
	return time.Duration(f * float64(time.Second)).Round(time.Microsecond), true
}

// truths are the words for true and false.
var truths = map[string]bool{"on": true, "true": true, "yes": true, "off": false, "false": false, "no": false}

// on reads a word that says yes or no. Without one, the statement itself says yes.
func (w *walk) on(s *Statement) bool {
	if says, known := truths[s.Arg(1)]; known || len(s.Words) < 2 {
		return says || len(s.Words) < 2
	}
	w.lose(importer.Lost, s, "on or off was expected, and keepalived does not take this either", "")
	return false
}

// whom reads the words behind a program, the first of which keepalived takes for the user that
// runs it. Where there is no such user, it runs nothing.
func (w *walk) whom(s *Statement, words []string) (user string, ok bool) {
	if len(words) == 0 {
		return "", true
	}
	quoted := "Write run = […] in its block, and each word that the program is to have as a text of its own."
	switch name := words[0]; {
	case name == "" || len(name) > 32 || strings.ContainsAny(name, ":/ \t\\\"'$") || strings.HasPrefix(name, "-"):
		w.lose(importer.Lost, s, "without quotes around all of it, keepalived takes "+strconv.Quote(name)+" for the user that runs the program, and as that cannot be one, it never runs it", quoted)
		return "", false
	case w.KnownUser != nil && !w.KnownUser(name):
		w.lose(importer.Differs, s, "without quotes around all of it, keepalived takes "+name+" for the user that runs the program; there is none here, and without one it runs nothing", quoted+" If it is a user of the directors, keep it.")
		return name, true
	default:
		return name, true
	}
}

// findProgram returns the absolute path of a program, which keepalived looks for as a shell does.
func (w *walk) findProgram(s *Statement, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	if w.LookPath != nil && !strings.Contains(name, "/") {
		if found, ok := w.LookPath(name); ok && path.IsAbs(found) {
			return found
		}
	}
	guess := "/usr/bin/" + path.Base(path.Clean("/"+name))
	w.lose(importer.Differs, s, "keepalived looks for the program "+name+", and lvsd needs its path, which is taken to be "+guess, "Write its path, which \"command -v "+name+"\" shows; there is no shell: a command line for one is a program file of its own.")
	return guess
}
