package convert

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/heartbeat"
)

// heartbeat imports Heartbeat's files, which are the same on all directors but for an ha.cf of
// each, and the files of ldirectord that it starts.
func (r *Request) heartbeat(files disk) (result importer.Result, nodes []string, err error) {
	own, services, err := r.sorted(files)
	if err != nil {
		return result, nil, err
	}
	o := r.options(services)
	if len(r.Nodes) == 0 {
		result, nodes, err = heartbeat.Import(own, o)
	} else {
		result, nodes, err = r.ofEach(files, own, o)
	}
	for _, path := range services {
		var theirs importer.Result
		if err == nil {
			theirs, err = readLdirectord(r, files, "", path)
		}
		if err == nil {
			err = join(&result, theirs)
		}
	}
	return result, nodes, err
}

// options are those of Heartbeat's importer.
func (r *Request) options(services []string) heartbeat.Options {
	o := heartbeat.Options{Network: networkOf, Services: services, Script: func(name string) bool {
		info, err := os.Stat(filepath.Join("/etc/ha.d/resource.d", name))
		return err == nil && info.Mode().IsRegular()
	}}
	if r.Resolve {
		o.Resolve = addressOf
	}
	return o
}

// sorted are the files of Heartbeat, and the names of those of ldirectord.
func (r *Request) sorted(files disk) (own []heartbeat.File, services []string, err error) {
	for _, path := range r.Files {
		f, err := files.heartbeat(path)
		switch {
		case err != nil:
			return nil, nil, err
		case heartbeat.KindOf(f) == heartbeat.LDirectord:
			services = append(services, path)
		default:
			own = append(own, f)
		}
	}
	return own, services, nil
}

// ofEach imports ha.cf of each director, beside the files that are the same on all.
func (r *Request) ofEach(files disk, common []heartbeat.File, o heartbeat.Options) (result importer.Result, nodes []string, err error) {
	of := make(map[string]importer.Result, len(r.Nodes))
	for _, o.Node = range slices.Sorted(maps.Keys(r.Nodes)) {
		f, err := files.heartbeat(r.Nodes[o.Node])
		if err != nil {
			return result, nil, err
		}
		if of[o.Node], nodes, err = heartbeat.Import(append(slices.Clone(common), f), o); err != nil {
			return result, nil, err
		}
	}
	for _, node := range nodes {
		if r.Nodes[node] == "" {
			return result, nil, fmt.Errorf("%s is a node, too: give its ha.cf by --node %s=FILE", node, node)
		}
	}
	return importer.Merge(of), nodes, nil
}

// outlineHeartbeat works out what Heartbeat, and ldirectord with it, make of their files.
func outlineHeartbeat(r *Request, files disk, node, _ string) (out importer.Outline, err error) {
	own, services, err := r.sorted(files)
	if path := r.Nodes[node]; err == nil && path != "" {
		var f heartbeat.File
		f, err = files.heartbeat(path)
		own = append(own, f)
	}
	if err == nil {
		out, err = heartbeat.Outline(own, r.options(services))
	}
	for _, path := range services {
		var more importer.Outline
		if err == nil {
			more, err = outlineLdirectord(r, files, node, path)
			out = append(out, more...)
		}
	}
	return out, err
}

// heartbeat reads a file, and who else may.
func (d disk) heartbeat(path string) (f heartbeat.File, err error) {
	f.Name = path
	if f.Text, err = d.Open(path); err != nil {
		return f, err
	}
	if info, err := os.Stat(path); err == nil && path != stdinName {
		f.Shared = info.Mode().Perm()&0o077 != 0
	}
	return f, nil
}

// join adds what is imported of another program. There is one director block for both.
func join(to *importer.Result, more importer.Result) error {
	for _, f := range more.Files {
		for _, mine := range to.Files {
			if mine.Name == f.Name && mine.Secret != f.Secret {
				return fmt.Errorf("two secrets would be in %s: import the files of ldirectord one after the other", f.Name)
			}
		}
	}
	isDirector := func(b *importer.Block) bool { return b.Kind == "director" }
	for _, b := range more.Blocks {
		i := slices.IndexFunc(to.Blocks, isDirector)
		if !isDirector(b) || i < 0 {
			to.Blocks = append(to.Blocks, b)
			continue
		}
		mine := to.Blocks[i].Of(b.From...).Note(b.Comment...)
		mine.Items = append(mine.Items, b.Items...)
	}
	to.Files = append(to.Files, more.Files...)
	to.Losses = append(to.Losses, more.Losses...)
	return nil
}

// networkOf finds the interface of this machine whose network an address belongs to.
func networkOf(a netip.Addr) (device string, bits int, ok bool) {
	links, err := net.Interfaces()
	if err != nil {
		return "", 0, false
	}
	for _, link := range links {
		all, err := link.Addrs()
		if err != nil || link.Flags&net.FlagLoopback != 0 {
			continue
		}
		for _, one := range all {
			network, err := netip.ParsePrefix(one.String())
			if err == nil && network.Contains(a) && !network.IsSingleIP() && network.Bits() > bits {
				device, bits, ok = link.Name, network.Bits(), true
			}
		}
	}
	return device, bits, ok
}
