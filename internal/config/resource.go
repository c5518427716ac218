package config

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// Resources are started one after the other on a Master, and stopped in reverse before
// it leaves. Whatever its kind, each is what is run to start and to stop it, and to see
// whether it runs.

// resourceTimeout is how long starting or stopping a resource may take by default.
const resourceTimeout = 30 * time.Second

// resourceUser is whom systemd's units and mounts are started as.
const resourceUser = "root"

// A resourceKind reads what is special about a kind of resource, which r is of.
type resourceKind struct {
	schema func() *block.Schema
	read   func(b *block.Body, r *Resource)
}

func newResourceKind[T any](name, help string, timeout func(*T) *time.Duration, options func() []block.Entry[T], compile func(*block.Body, *T, *Resource)) block.Kind[resourceKind] {
	table := block.NewTable("resource", func() []block.Entry[T] {
		return append(options(), block.Duration("timeout", "How long starting it may take, and stopping it. What takes longer is ended, and has failed. The time is also what a planned leaving waits for.",
			resourceTimeout, 100*time.Millisecond, 10*time.Minute, timeout))
	})
	k := resourceKind{table.Schema, func(b *block.Body, r *Resource) {
		t := table.Read(b)
		r.Timeout = *timeout(&t)
		compile(b, &t, r)
	}}
	return block.Kind[resourceKind]{Name: name, Help: help, Schema: k.schema, Decode: k}
}

type unitResource struct{ timeout time.Duration }

type mountResource struct {
	device, fsType string
	options        []block.Item
	timeout        time.Duration
}

type commandResource struct {
	start, stop, status []block.Item
	user                string
	timeout             time.Duration
}

var resourceKinds = block.NewKinds("resource",
	newResourceKind("systemd", "A unit of systemd, which must not be enabled (systemctl disable). lvsd must be able to become root for it, as its drop-in programs.conf lets it.",
		func(u *unitResource) *time.Duration { return &u.timeout }, func() []block.Entry[unitResource] { return nil },
		func(b *block.Body, _ *unitResource, r *Resource) {
			if strings.HasPrefix(r.Name, "-") || strings.ContainsAny(r.Name, "/ *?[") || !strings.Contains(r.Name, ".") {
				b.Mistake(b.LabelAt(1), "Invalid unit", "Write the whole name of a unit, such as \"apache2.service\" or \"srv-data.mount\": \"systemctl list-unit-files\" lists those of this machine.")
			}
			const systemctl = "/bin/systemctl"
			r.User = resourceUser
			r.Start, r.Stop = []string{systemctl, "--no-ask-password", "start", r.Name}, []string{systemctl, "--no-ask-password", "stop", r.Name}
			r.Status = []string{systemctl, "--quiet", "is-active", r.Name}
		}),
	newResourceKind("mount", "A file system. The second label is the directory that it is mounted on, which must not be in /etc/fstab without noauto. Where systemd has started the machine, it mounts it (systemd-run), as lvsd's unit has a view of the file system of its own. lvsd must be able to become root for it, as its drop-in programs.conf lets it.",
		func(m *mountResource) *time.Duration { return &m.timeout }, func() []block.Entry[mountResource] {
			return []block.Entry[mountResource]{
				block.Text("device", "What is mounted, as mount(8) has it: a device, \"UUID=…\", or \"server:/path\".",
					"", mountText, func(m *mountResource) *string { return &m.device }).Within("a text").Required(`device = "/dev/drbd0"`),
				block.Text("type", "The type of the file system.",
					"", mountText, func(m *mountResource) *string { return &m.fsType }).Within("a text").Unless("what mount(8) finds"),
				block.List("options", "The options of mount(8).", func(m *mountResource) *[]block.Item { return &m.options }).Unless("none"),
			}
		}, readMount),
	newResourceKind("command", "Anything that commands start and stop. They must succeed also if it runs, or does not run, already.",
		func(c *commandResource) *time.Duration { return &c.timeout }, func() []block.Entry[commandResource] {
			return []block.Entry[commandResource]{
				block.List("start", "The program that starts it and waits for that, and its arguments. There is no shell: nothing is expanded. Nobody but root and lvsd's user may be able to change the program or its directories.",
					func(c *commandResource) *[]block.Item { return &c.start }).Required(`start = ["/etc/lvsd/resources/volume", "start"]`),
				block.List("stop", "The program that stops it and waits for that, in the same way.",
					func(c *commandResource) *[]block.Item { return &c.stop }).Required(`stop = ["/etc/lvsd/resources/volume", "stop"]`),
				block.List("status", "The program that exits with status 0 if it runs, and with another one if not. Without it, what runs after a crash of lvsd is started once more.",
					func(c *commandResource) *[]block.Item { return &c.status }).Unless("none"),
				block.Text("user", "The user that they run as. lvsd must be able to become that user: the unit that is shipped does not let it, and its drop-in programs.conf does. Without it, they have no privileges at all.",
					"", userName, func(c *commandResource) *string { return &c.user }).Within("the name of a user").Unless("lvsd's own"),
			}
		}, func(b *block.Body, c *commandResource, r *Resource) {
			r.User = c.user
			r.Start, r.Stop, r.Status = readRun(b, "start", c.start), readRun(b, "stop", c.stop), readRun(b, "status", c.status)
		}),
)

func readMount(b *block.Body, m *mountResource, r *Resource) {
	if !filepath.IsAbs(r.Name) || filepath.Clean(r.Name) != r.Name || r.Name == "/" {
		b.Mistake(b.LabelAt(1), "Invalid directory", "%q can't be what a file system is mounted on: write the whole path of a directory, such as \"/srv\".", r.Name)
	}
	r.User, r.Directory = resourceUser, r.Name
	r.Start = []string{"/bin/mount"}
	if m.fsType != "" {
		r.Start = append(r.Start, "-t", m.fsType)
	}
	var options []string
	for _, it := range m.options {
		if _, ok := mountText(b, it.Text, it.At); ok {
			options = append(options, it.Text)
		}
	}
	if len(options) > 0 {
		r.Start = append(r.Start, "-o", strings.Join(options, ","))
	}
	r.Start, r.Stop = append(r.Start, "--", m.device, r.Name), []string{"/bin/umount", "--", r.Name}
}

// mountText checks an argument of mount(8).
func mountText(b *block.Body, s string, at block.Place) (string, bool) {
	if s == "" || len(s) > maxArgument || strings.ContainsRune(s, 0) {
		b.Mistake(at, "Invalid argument", "It has at least one byte and at most %d, and none of them is zero.", maxArgument)
		return "", false
	}
	return s, true
}

// readResources reads the resources of a block, in their order, which are r but for what
// they say.
func readResources(b *block.Body, of Resource) []Resource {
	var all []Resource
	for inner := range b.Blocks("resource") {
		inner.CheckName(1)
		kind, known := resourceKinds.Of(inner)
		if !known {
			continue
		}
		r := of
		r.Kind, r.Name = inner.Labels[0], inner.Labels[1]
		inner.Claim(resourceItself, strconv.Quote(r.Kind+" "+r.Name), strconv.Quote(r.Name), inner.Head)
		kind.read(inner, &r)
		if r.User == resourceUser && r.Kind != "command" {
			claim(inner, programUser, r.User, inner.Head)
		}
		all = append(all, r)
	}
	return all
}

// doubtPreemption warns of resources that two directors would have at the same time: who
// preempts asks nobody.
func doubtPreemption(b *block.Body, preempts bool, own []Resource) {
	if preempts && len(own) > 0 {
		b.Doubt(b.Head, "Resources with preempt", preemptDoubt)
	}
}

const preemptDoubt = "A director that preempts starts its resources while the other one is still stopping its own: set preempt = false, and use \"lvsd failover\" on the other one to take the role back."

// TableCondition is the name of the condition that the IPVS table has been loaded since
// the daemon started.
const TableCondition = "table loaded"

// withResources makes virtual routers wait for their resources, and for those of their
// groups: they are not Master where one could not be started, and before they leave by
// plan, all are stopped.
func withResources(routers []vrrp.Config, resources []Resource) {
	longest := make(map[Owner]time.Duration) // by what moves together
	for i := range routers {
		r := &routers[i]
		for _, o := range []Owner{{Router: r.Name}, {Group: r.SyncGroup}} {
			var sum, slowest time.Duration
			for _, x := range resources {
				if x.Owner == o {
					sum, slowest = sum+x.Timeout, max(slowest, x.Timeout)
				}
			}
			if sum == 0 {
				continue
			}
			r.Track = append(slices.Clip(r.Track), vrrp.Track{Condition: o.ResourceCondition()})
			// One may be starting, and what does not end has to be killed.
			longest[Mover(r)] = max(longest[Mover(r)], sum+slowest+leaveMargin)
		}
	}
	for i := range routers {
		r := &routers[i]
		r.Leave = vrrp.Clearance{Timeout: longest[Mover(r)]}
	}
}

// leaveMargin is how much longer than their timeouts stopping resources may take.
const leaveMargin = 10 * time.Second
