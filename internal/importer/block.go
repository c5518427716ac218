package importer

import (
	"fmt"
	"slices"
	"strings"
)

// A Block is a block of lvsd's language.
type Block struct {
	Kind    string
	Labels  []string
	Comment []string // the lines above it, without signs
	Items   []Item   // in the order in which they are to be written
	Only    []string // the directors that have it; none: all
	From    []Place  // what it was made of
}

// An Item is what a block contains: an *Arg or a *Block.
type Item interface{ item() }

// An Arg is an argument of a block.
type Arg struct {
	Name    string
	Value   Value
	Comment string  // at the end of its line
	From    []Place // what it was made of
}

func (*Arg) item()   {}
func (*Block) item() {}

// made is what an argument of a block was made of; where nothing is known, that is as the block.
func (a *Arg) made(of *Block) []Place {
	if len(a.From) > 0 {
		return a.From
	}
	return of.From
}

// NewBlock returns a block without anything in it.
func NewBlock(kind string, labels ...string) *Block { return &Block{Kind: kind, Labels: labels} }

// Of notes what a block was made of.
func (b *Block) Of(from ...Place) *Block {
	b.From = append(b.From, from...)
	return b
}

// Note adds lines to the comment above a block.
func (b *Block) Note(lines ...string) *Block {
	b.Comment = append(b.Comment, lines...)
	return b
}

// Set gives an argument a value, in the place of one that it has.
func (b *Block) Set(name string, v Value, from ...Place) *Arg {
	if a := b.Get(name); a != nil {
		a.Value, a.From = v, append(a.From, from...)
		return a
	}
	a := &Arg{Name: name, Value: v, From: from}
	b.Items = append(b.Items, a)
	return a
}

// Get returns an argument; nil if there is none of that name.
func (b *Block) Get(name string) *Arg {
	for _, it := range b.Items {
		if a, is := it.(*Arg); is && a.Name == name {
			return a
		}
	}
	return nil
}

// Remove removes an argument, if there is one of that name.
func (b *Block) Remove(name string) {
	b.Items = slices.DeleteFunc(b.Items, func(it Item) bool {
		a, is := it.(*Arg)
		return is && a.Name == name
	})
}

// Block adds a block to a block.
func (b *Block) Block(kind string, labels ...string) *Block {
	inner := NewBlock(kind, labels...)
	b.Items = append(b.Items, inner)
	return inner
}

// One returns the block of a kind without labels, and adds it if there is none.
func (b *Block) One(kind string) *Block {
	for _, it := range b.Items {
		if inner, is := it.(*Block); is && inner.Kind == kind && len(inner.Labels) == 0 {
			return inner
		}
	}
	return b.Block(kind)
}

// Alike reports whether two blocks say the same, whatever they were made of.
func (b *Block) Alike(o *Block) bool {
	return b.Kind == o.Kind && slices.Equal(b.Labels, o.Labels) && slices.Equal(b.Comment, o.Comment) && slices.Equal(b.Only, o.Only) &&
		slices.EqualFunc(b.Items, o.Items, func(x, y Item) bool {
			if p, is := x.(*Arg); is {
				q, too := y.(*Arg)
				return too && p.alike(q)
			}
			q, too := y.(*Block)
			return too && x.(*Block).Alike(q)
		})
}

// alike reports whether two arguments say the same.
func (a *Arg) alike(o *Arg) bool {
	return a.Name == o.Name && a.Comment == o.Comment && a.Value.Equal(o.Value)
}

// Absorb adds what a block like it was made of.
func (b *Block) Absorb(o *Block) {
	b.Of(o.From...)
	for i, it := range b.Items {
		if a, is := it.(*Arg); is {
			a.From = append(a.From, o.Items[i].(*Arg).From...)
		} else {
			it.(*Block).Absorb(o.Items[i].(*Block))
		}
	}
}

// Accounted returns the places that came along in blocks, or are among the losses.
func (r *Result) Accounted() map[Place]bool {
	seen := map[Place]bool{}
	for _, b := range r.Blocks {
		b.mark(seen)
	}
	for _, l := range r.Losses {
		seen[l.Place] = true
	}
	return seen
}

// mark notes the places that a block was made of.
func (b *Block) mark(seen map[Place]bool) {
	for _, p := range b.From {
		seen[p] = true
	}
	for _, it := range b.Items {
		switch it := it.(type) {
		case *Block:
			it.mark(seen)
		case *Arg:
			for _, p := range it.From {
				seen[p] = true
			}
		}
	}
}

// places are those that a block was made of, or the first things in it.
func (b *Block) places() []Place {
	for _, it := range b.Items {
		if len(b.From) > 0 {
			break
		}
		switch it := it.(type) {
		case *Arg:
			return it.From
		case *Block:
			return it.places()
		}
	}
	return b.From
}

// A Result is what was made of a configuration, for one director.
type Result struct {
	Blocks []*Block // at the top level, in the order in which they are to be written
	Files  []File   // to be put beside it
	Losses []Loss
}

// secretFolder is where the files with keys and passwords belong.
const secretFolder = "/etc/lvsd/"

// Secret adds the file of a secret, named by whose and what it is: "outside" and "password".
// It returns the file's path. Equal secrets of one name are one file.
func (r *Result) Secret(whose, what, secret string) (path string) {
	name := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_.", c) {
			return c
		}
		return '-'
	}, whose)
	path = secretFolder + name + "." + what
	for n := 2; ; n++ {
		i := slices.IndexFunc(r.Files, func(f File) bool { return f.Name == path })
		switch {
		case i < 0:
			r.Files = append(r.Files, File{Name: path, Secret: secret})
			return path
		case r.Files[i].Secret == secret:
			return path
		}
		path = fmt.Sprintf("%s%s-%d.%s", secretFolder, name, n, what)
	}
}

// A File is a file with a secret, which only root and lvsd's user may read.
type File struct {
	Name   string // as the configuration names it: an absolute path
	Secret string // what is in it
}
