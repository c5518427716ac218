package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

// A Block is one top-level block that has, or may have, virtual services.
type Block struct {
	// Key identifies what decides the meaning of a virtual_service block;
	// zero: the block is of another kind and always decoded anew.
	Key Key
	// Reused is set where the block was not parsed, as its summary was given.
	Reused bool
	// Source is where the block begins: "web.hcl:2".
	Source string
	// Services are those of a block that was decoded; nil where it was Reused.
	// Their places are those of now.
	Services []Service
	// Summary is what ParseWith wants back next time in the place of the
	// block. Nil: the block can't be reused.
	Summary []byte
}

// An Outcome is what came of reading a configuration whose unchanged blocks
// were not parsed again.
type Outcome struct {
	// Config is the configuration without its services; nil where there are
	// mistakes.
	Config *Config
	// Blocks are those with services, in the order of the files.
	Blocks []Block
}

// Complete returns the whole configuration, nil where there are mistakes.
// known has, by its key, the services of every block that was reused; what it
// holds is not changed.
func (o Outcome) Complete(known map[Key][]Service) *Config {
	if o.Config == nil {
		return nil
	}
	c := *o.Config
	c.Services = o.room()
	for _, b := range o.Blocks {
		services := b.Services
		if b.Reused {
			services = slices.Clone(known[b.Key])
			for i := range services {
				services[i].Source = b.Source
			}
		}
		c.Services = append(c.Services, services...)
	}
	return &c
}

// room returns an empty list with room for the services of all blocks.
func (o Outcome) room() []Service {
	n := 0
	for _, b := range o.Blocks {
		n += max(1, len(b.Services))
	}
	if n == 0 {
		return nil
	}
	return make([]Service, 0, n)
}

// ParseWith is Parse for a process that reads the same configuration again and
// again. known holds what earlier calls returned: the Summary of blocks, by
// their Key. A virtual_service block whose key is among them, and whose files
// are unchanged, is not parsed but counts by its summary; the caller has its
// services. The diagnostics are those that Parse would return.
//
// With known nil, the outcome has neither keys nor summaries.
func ParseWith(s Sources, o Options, known map[Key][]byte) (Outcome, Diagnostics) {
	sc, first := prepare(s, o)
	w := newWhole(o)
	w.add(&first)
	items := s.items()
	results := make([]result, len(items))
	reader := newReuser(sc, &first, known)
	onAllProcessors(len(items), maxMistakes-w.mistakes, func(worker, i int) int {
		f, c := items[i].source, items[i].chunk
		o.reading(worker, f, c)
		results[i] = reader.decode(f, c)
		o.read(worker)
		return results[i].mistakes
	})
	out := Outcome{Config: &Config{Node: o.Node, Director: defaultDirector()}}
	files := slices.Clone(first.files)
	for i := range results {
		if w.mistakes >= maxMistakes {
			break
		}
		r := &results[i]
		w.add(r)
		files = append(files, r.files...)
		out.add(r)
	}
	w.finish(s, len(out.Config.Routers)+len(out.Blocks) == 0)
	diags := s.diagnostics(w.diags)
	if diags.HasErrors() {
		return Outcome{}, diags
	}
	out.Config.Files = paths(files)
	o.Files = out.Config.Files
	out.Config.Digest = s.Digest(o)
	return out, diags
}

// add adds what one block says to the configuration.
func (o *Outcome) add(r *result) {
	for _, d := range r.directors {
		o.Config.Director = d
	}
	o.Config.Routers = append(o.Config.Routers, r.routers...)
	if r.block.Reused || len(r.services) > 0 {
		r.block.Services = r.services
		o.Blocks = append(o.Blocks, r.block)
	}
}

// paths lists the files, each once.
func paths(files []fileRead) []string {
	set := map[string]bool{}
	for _, f := range files {
		set[f.path] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// A located is a chunk with the file that it is of.
type located struct {
	*source
	chunk
}

// items lists all top-level items but the locals.
func (s Sources) items() (list []located) {
	for _, f := range s.files {
		for _, c := range f.blocks {
			if c.kind != "locals" {
				list = append(list, located{f, c})
			}
		}
	}
	return list
}

// sourceOf names a place as Service.Source does: "web.hcl:2".
func sourceOf(file string, line int) string {
	return filepath.Base(file) + ":" + strconv.Itoa(line)
}
