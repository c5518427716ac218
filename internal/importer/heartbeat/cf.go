package heartbeat

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// cf reads ha.cf.
func (w *walk) cf(list []*line) error {
	for _, l := range list {
		if err := w.word(l); err != nil {
			return err
		}
	}
	tooSmall := func(word string, d time.Duration) error {
		if l := w.said[word]; l != nil && d <= 2*w.keepalive {
			return refuse(l.Place, "%s: more than twice keepalive (%s) was expected", word, importer.Duration(w.keepalive).Text)
		}
		return nil
	}
	if err := tooSmall("deadtime", w.deadtime); err != nil {
		return err
	}
	if w.said["deadtime"] == nil {
		if err := tooSmall("keepalive", w.deadtime); err != nil {
			return refuse(w.said["keepalive"].Place, "keepalive: less than half of deadtime (%s) was expected", importer.Duration(w.deadtime).Text)
		}
	}
	if w.initdead != 0 && w.initdead < w.deadtime {
		return refuse(w.said["initdead"].Place, "initdead: no less than deadtime (%s) was expected", importer.Duration(w.deadtime).Text)
	}
	return tooSmall("deadping", w.deadping)
}

// word reads a line of ha.cf.
func (w *walk) word(l *line) error {
	switch l.words[0] {
	case "keepalive":
		return w.time(l, &w.keepalive)
	case "deadtime":
		return w.time(l, &w.deadtime)
	case "initdead":
		return w.time(l, &w.initdead)
	case "deadping":
		return w.time(l, &w.deadping)
	case "node":
		return w.names(l)
	case "auto_failback", "nice_failback":
		return w.goesBack(l)
	case "udp", "bcast", "mcast", "mcast6", "ucast", "ucast6":
		return w.medium(l)
	case "ping", "ping6", "ping_group":
		switch group := l.words[0] == "ping_group"; {
		case group && len(l.words) < 3:
			return refuse(l.Place, "ping_group: a name and addresses were expected")
		case len(l.words) < 2:
			return refuse(l.Place, "%s: an address was expected", l.words[0])
		}
		w.pings = append(w.pings, l)
	case "respawn":
		w.respawn(l)
	case "watchdog":
		w.watchdog(l)
	default:
		return w.other(l)
	}
	return nil
}

// say keeps the line that says something; the last one counts.
func (w *walk) say(word string, l *line) {
	if earlier := w.said[word]; earlier != nil {
		w.note(earlier, "the same is said again further down, and the last one counts")
	}
	w.said[word] = l
}

// time keeps a time.
func (w *walk) time(l *line, at *time.Duration) error {
	d, ok := timeOf(l.arg(1))
	if !ok {
		return refuse(l.Place, "%s: a time was expected, such as 2 for seconds, or 500ms", l.words[0])
	}
	*at = d
	w.say(l.words[0], l)
	return nil
}

// names adds the nodes of a line.
func (w *walk) names(l *line) error {
	if len(l.words) < 2 {
		return refuse(l.Place, "node: the name of a node was expected, as uname -n prints it")
	}
	for _, n := range l.words[1:] {
		if err := w.add(l, n); err != nil {
			return err
		}
	}
	w.named = append(w.named, l)
	w.once(importer.Note, l, l.text, "the nodes are the directors, by their hosts' names up to the first dot", "")
	return nil
}

// goesBack reads whether what has moved goes back to its node.
func (w *walk) goesBack(l *line) error {
	yes, ok := truth(l.arg(1))
	switch {
	case l.words[0] == "nice_failback":
		yes = !yes
	case strings.EqualFold(l.arg(1), "legacy"):
		yes, ok = true, true
		w.note(l, "what has moved goes back to its node, as with auto_failback on")
	}
	if !ok {
		return refuse(l.Place, "%s: on, off or legacy was expected", l.words[0])
	}
	w.failback = yes
	w.say("auto_failback", l)
	return nil
}

// medium reads a way between the nodes.
func (w *walk) medium(l *line) error {
	word := l.words[0]
	if len(l.words) < 2 {
		return refuse(l.Place, "%s: the name of an interface was expected", word)
	}
	if len(w.media) > maxMoves {
		return refuse(l.Place, "there are more than %d ways between the nodes", maxMoves)
	}
	switch word {
	case "udp", "bcast":
		for _, device := range l.words[1:] {
			w.media = append(w.media, medium{line: l, device: device})
		}
	case "mcast", "mcast6":
		w.media = append(w.media, medium{line: l, device: l.arg(1)})
	default:
		if len(l.words) != 3 {
			return refuse(l.Place, "%s: an interface and the other node's address were expected", word)
		}
		peer, ok := w.address(l.arg(2), word == "ucast6")
		if !ok {
			w.lose(importer.Lost, l, l.text, "the address of "+bounded(l.arg(2))+" is not known", "Write the other directors' addresses as peers in the virtual_router.")
			return nil
		}
		w.media = append(w.media, medium{line: l, device: l.arg(1), peer: peer})
	}
	return nil
}

// respawn reads a program that is kept running.
func (w *walk) respawn(l *line) {
	if path.Base(l.arg(2)) == "ipfail" { // It compares which node reaches more.
		w.ipfail = l
		return
	}
	w.foreign(importer.Lost, l, strings.Join(l.words[:min(3, len(l.words))], " "))
}

// watchdog has the kernel's watchdog fed.
func (w *walk) watchdog(l *line) {
	if device := l.arg(1); !strings.HasPrefix(device, "/dev/") {
		w.lose(importer.Lost, l, l.text, "a path below /dev was expected", `Write watchdog { device = "/dev/watchdog" } in the director block.`)
		return
	}
	b := w.whole().One("watchdog").Of(l.Place)
	b.Set("device", importer.String(l.arg(1)), l.Place)
	b.Set("timeout", importer.String("1m"), l.Place)
	w.lose(importer.Note, l, l.text, "lvsd's unit may not open it", "Install the drop-in watchdog.conf, and do so before lvsd is started.")
}

// other reads a word that nothing is made of. Arguments that may be secret are not shown.
func (w *walk) other(l *line) error {
	word := l.words[0]
	shown := l.text
	if strings.HasPrefix(word, "stonith") || word == "env" {
		shown = word + " …"
	}
	yes, _ := truth(l.arg(1))
	off := (word == "crm" || word == "pacemaker") && !yes && !slices.Contains([]string{"respawn", "manual"}, strings.ToLower(l.arg(1)))
	switch _, known := config.Foreign(program, word); {
	case off:
		w.note(l, "it is off without this line, too")
	case word == "debug" || word == "cluster":
		w.note(l, "it concerns Heartbeat alone")
	case word == "serial":
		w.lose(importer.Lost, l, shown, "adverts go by networks alone", "A bond of two networks is a second way for them.")
	case word == "env":
		w.lose(importer.Lost, l, shown, "programs of lvsd have no other environment than its own", "Set it in the program.")
	case known && slices.Contains(harmless, word):
		w.foreign(importer.Note, l, shown)
	case known:
		w.foreign(importer.Lost, l, shown)
	default:
		return refuse(l.Place, "Heartbeat has no word %q", bounded(word))
	}
	return nil
}
