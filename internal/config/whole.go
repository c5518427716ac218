package config

import (
	"path/filepath"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
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
	c.Services = slices.Grow(c.Services, len(o.Blocks))
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

// Parse turns the files into a configuration for one node. It returns every
// mistake at once, and no Config where one is an error; a valid one may come
// with warnings.
func Parse(s Sources, o Options) (*Config, Diagnostics) {
	out, diags := ParseWith(s, o, Machine{}, nil)
	return out.Complete(nil), diags
}

// ParseWith is Parse for a process that reads the same configuration again and
// again. known holds what earlier calls returned: the Summary of blocks, by
// their Key. A virtual_service block whose key is among them, and whose files
// are unchanged, is not parsed but counts by its summary; the caller has its
// services. The diagnostics are those that Parse would return.
//
// With known nil, the outcome has neither keys nor summaries. The warnings about
// m are given too.
func ParseWith(s Sources, o Options, m Machine, known map[Key][]byte) (Outcome, Diagnostics) {
	results := block.Parse(language, s, o, known, declare)
	out := Outcome{Config: &Config{Node: o.Node, Director: directorTable.Start()}}
	w := newWhole(m)
	for i := range results {
		if w.Mistakes >= block.MaxMistakes {
			break
		}
		w.add(&results[i])
		out.add(&results[i])
	}
	w.finish(s, len(out.Config.Routers)+len(out.Blocks) == 0)
	diags := s.Diagnostics(w.Reports)
	if diags.HasErrors() {
		return Outcome{}, diags
	}
	out.Config.Files = block.Files(results)
	o.Files = out.Config.Files
	out.Config.Digest = s.Digest(o)
	return out, diags
}

// add adds what one block declares.
func (o *Outcome) add(r *block.Result[declaration]) {
	for _, d := range r.Value.directors {
		o.Config.Director = d
	}
	o.Config.Routers = append(o.Config.Routers, r.Value.routers...)
	if r.Reused || len(r.Value.services) > 0 {
		o.Blocks = append(o.Blocks, Block{
			Key: r.Key, Reused: r.Reused, Source: sourceOf(r.Begin), Services: r.Value.services, Summary: r.Summary,
		})
	}
}

// sourceOf names a place as Service.Source does: "web.hcl:2".
func sourceOf(p block.Place) string {
	p.File = filepath.Base(p.File)
	return p.String()
}
