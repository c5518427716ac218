package heartbeat

import (
	"path"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// A resource is a word of haresources: a script and its arguments.
type resource struct {
	*line
	text string
	name string
	args []string
}

func (r resource) arg(i int) string {
	if i < len(r.args) {
		return r.args[i]
	}
	return ""
}

// resourceOf reads a word of haresources. A bare address is one of IPaddr.
func resourceOf(l *line, word string) (resource, error) {
	if isAddress(word) {
		return resource{l, word, "IPaddr", []string{word}}, nil
	}
	parts := strings.Split(word, "::")
	r := resource{l, word, parts[0], parts[1:]}
	if r.name == "" || strings.ContainsAny(word, "\x00") || strings.Contains(r.name, "/") {
		return r, refuse(l.Place, "%q: an address, or the name of a script, and behind :: what it is given, was expected", bounded(word))
	}
	return r, nil
}

// isIP reports whether it is an address.
func (r resource) isIP() bool {
	return slices.Contains([]string{"IPaddr", "IPaddr2", "IPv6addr"}, r.name)
}

// runs reports whether something is started and stopped for it, so that no director may have it
// while another one has.
func (r resource) runs() bool {
	return !r.isIP() && !slices.Contains([]string{"IPsrcaddr", "ldirectord", "LVSSyncDaemonSwap", "MailTo", "SendArp"}, r.name)
}

// shipped are the scripts in /etc/ha.d/resource.d that come with Heartbeat or DRBD and that take
// no arguments, or need none.
var shipped = strings.Fields("AudibleAlarm Delay ICP LVM LinuxSCSI OCF Raid1 ServeRAID WAS WinPopup Xinetd db2 ids portblock drbddisk drbdupper")

// resources adds what moves beside addresses to a virtual router.
func (w *walk) resources(b *importer.Block, list []resource, device string) {
	for _, r := range list {
		switch r.name {
		case "IPsrcaddr":
			w.lose(importer.Lost, r.line, r.text, "the default route, whose source it changes, is not known", `Write route "default" { via = "…", source = "`+bounded(r.arg(0))+`" } in the virtual_router, on lines of its own.`)
		case "ldirectord":
			w.services(r)
		case "LVSSyncDaemonSwap":
			w.connections(b, r, device)
		case "MailTo":
			w.lose(importer.Lost, r.line, r.text, "lvsd sends no mail", `Alert on the metrics or on the log, or write on "any" { run = ["/etc/lvsd/hooks/notify"] } in the virtual_router.`)
		case "SendArp":
			w.lose(importer.Note, r.line, r.text, "a Master announces its addresses itself", "")
		case "Filesystem":
			w.mount(b, r)
		case "apache":
			w.unit(b, r, "apache2")
			w.lose(importer.Differs, r.line, r.text, "systemd's unit is started in place of Heartbeat's script, with the configuration that the unit has", "On Red Hat it is httpd.service. Disable it: systemctl disable apache2")
		default:
			w.script(b, r)
		}
	}
}

// services tells of virtual services, which are ldirectord's.
func (w *walk) services(r resource) {
	name := r.arg(0)
	if name == "" {
		name = "ldirectord.cf"
	}
	if slices.ContainsFunc(w.Services, func(s string) bool { return path.Base(s) == path.Base(name) }) {
		w.lose(importer.Note, r.line, r.text, "lvsd has the virtual services itself, on all directors, and checks the servers there, so that a new Master knows them", "ha_suspend = true in a virtual_service spares its servers the checks of a Backup.")
		return
	}
	w.lose(importer.Lost, r.line, r.text, "its virtual services are not among these files", "Give the file in the same command, or import it on its own: lvsd import ldirectord "+bounded(name))
}

// connections has connections told to the other director.
func (w *walk) connections(b *importer.Block, r resource, device string) {
	if w.twice(r.line, r.text, "connection_sync") {
		return
	}
	for _, m := range w.media { // best a network of the directors' own
		if m.device != device {
			device = m.device
			break
		}
	}
	c := w.whole().Block("connection_sync").Of(r.Place)
	c.Set("router", importer.String(b.Labels[0]), r.Place)
	c.Set("interface", importer.String(device))
	w.lose(importer.Note, r.line, r.text, "the Master tells the others of connections, by "+device, "It should be a network of the directors' own, with an address: nothing protects what they tell each other.")
}

// mount adds a file system.
func (w *walk) mount(b *importer.Block, r resource) {
	folder := r.arg(1)
	if !strings.HasPrefix(folder, "/") || r.arg(0) == "" {
		w.lose(importer.Lost, r.line, r.text, "a device and a directory were expected", `Write resource "mount" "/srv" { device = "/dev/drbd0" } in the virtual_router.`)
		return
	}
	if w.twice(r.line, r.text, "mount "+path.Clean(folder)) {
		return
	}
	device := r.arg(0)
	for option, name := range map[string]string{"-L": "LABEL=", "-U": "UUID="} {
		if rest, is := strings.CutPrefix(device, option); is {
			device = name + rest
		}
	}
	m := b.Block("resource", "mount", path.Clean(folder)).Of(r.Place)
	m.Set("device", importer.String(device), r.Place)
	if r.arg(2) != "" {
		m.Set("type", importer.String(r.arg(2)), r.Place)
	}
	if r.arg(3) != "" {
		m.Set("options", importer.Strings(strings.Split(r.arg(3), ",")...), r.Place)
	}
	w.rights(r)
}

// unit adds a unit of systemd.
func (w *walk) unit(b *importer.Block, r resource, name string) {
	if name = strings.TrimSuffix(name, ".service"); !w.twice(r.line, r.text, "unit "+name) {
		b.Block("resource", "systemd", name+".service").Of(r.Place)
		w.rights(r)
	}
}

// script adds what a script starts and stops. One of /etc/init.d, which takes no arguments, is a
// unit of systemd.
func (w *walk) script(b *importer.Block, r resource) {
	own := slices.Contains(shipped, r.name) || w.Script != nil && w.Script(r.name)
	if len(r.args) == 0 && !own {
		w.unit(b, r, r.name)
		w.lose(importer.Note, r.line, r.text, "systemd starts it, as a unit of that name or a script in /etc/init.d", "Disable it: systemctl disable "+bounded(r.name)+`. One that is in /etc/ha.d/resource.d is a resource "command" instead.`)
		return
	}
	if w.twice(r.line, r.text, "command "+r.text) {
		return
	}
	run := append([]string{"/etc/ha.d/resource.d/" + r.name}, r.args...)
	c := b.Block("resource", "command", strings.Join(append([]string{r.name}, r.args...), " ")).Of(r.Place)
	for _, action := range [...]string{"start", "stop", "status"} {
		c.Set(action, importer.Strings(append(slices.Clone(run), action)...), r.Place)
	}
	c.Set("user", importer.String("root"))
	w.lose(importer.Differs, r.line, r.text, "whether it runs is what the script's exit status says, and not what it prints", "See that it exits with 0 for status only if it runs, and that it stays when Heartbeat's package is removed.")
	w.rights(r)
}

// rights tells once what all resources need.
func (w *walk) rights(r resource) {
	w.once(importer.Note, r.line, r.text, "the addresses are there before everything else that moves, and each thing has 30 s to start and to stop (timeout)", "lvsd must be able to become root for it: install the drop-in programs.conf.")
}
