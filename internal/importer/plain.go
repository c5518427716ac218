package importer

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
)

// Tidy removes the arguments that say what lvsd takes anyway, and puts the others in the order
// of its manual, before the blocks, by the tables of its options.
func Tidy(blocks []*Block) {
	top := config.Schema()
	for _, b := range blocks {
		tidy(b, top)
	}
	arrange(blocks)
}

// arrange puts blocks, and what is in them, in order.
func arrange(blocks []*Block) {
	top := config.Schema()
	for _, b := range blocks {
		b.arrange(top)
	}
	slices.SortStableFunc(blocks, func(x, y *Block) int { return cmp.Compare(rank(x, top), rank(y, top)) })
}

func (b *Block) arrange(outer *block.Schema) {
	s := inner(b, outer)
	if s == nil {
		return
	}
	slices.SortStableFunc(b.Items, func(x, y Item) int { return cmp.Compare(rank(x, s), rank(y, s)) })
	for _, it := range b.Items {
		if i, is := it.(*Block); is {
			i.arrange(s)
		}
	}
}

// tidy is Tidy for a block, which is one of a schema's.
func tidy(b *Block, outer *block.Schema) {
	s := inner(b, outer)
	if s == nil {
		return
	}
	b.Items = slices.DeleteFunc(b.Items, func(it Item) bool {
		a, is := it.(*Arg)
		if !is || !isDefault(a.Value, s.Option(a.Name)) {
			return false
		}
		b.From = append(b.From, a.From...)
		if a.Comment != "" {
			b.Comment = append(b.Comment, a.Comment)
		}
		return true
	})
	for _, it := range b.Items {
		if i, is := it.(*Block); is {
			tidy(i, s)
		}
	}
}

// isDefault reports whether a value is the default of an option.
func isDefault(v Value, o *block.Option) bool {
	switch {
	case o == nil || o.Default == "":
		return false
	case v.Type == StringType:
		return v.Text == o.Default || quote(v.Text) == o.Default
	}
	return (v.Type == NumberType || v.Type == BoolType) && v.Text == o.Default
}

// rank is the place of an argument or a block among all that a block may contain.
func rank(it Item, s *block.Schema) int {
	if a, is := it.(*Arg); is {
		return slices.IndexFunc(s.Options, func(o *block.Option) bool { return o.Name == a.Name })
	}
	return len(s.Options) + slices.IndexFunc(s.Options, func(o *block.Option) bool { return o.Name == it.(*Block).Kind })
}

// inner returns the schema of a block in another one.
func inner(b *Block, outer *block.Schema) *block.Schema {
	o := outer.Option(b.Kind)
	if o == nil || o.Block == nil {
		return nil
	}
	for _, k := range o.Block.Kinds {
		if len(b.Labels) > 0 && k.Name == b.Labels[0] {
			return k.Schema()
		}
	}
	return o.Block
}

// defaultOf returns the default of an option, if it has one that is a value.
func defaultOf(s *block.Schema, name string) (Value, bool) {
	if s == nil {
		return Value{}, false
	}
	o := s.Option(name)
	if o == nil || o.Default == "" {
		return Value{}, false
	}
	switch text := o.Default; {
	case text == "true" || text == "false":
		return Value{Type: BoolType, Text: text}, true
	case strings.Trim(text, "0123456789") == "":
		return Value{Type: NumberType, Text: text}, true
	case len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"':
		return String(text[1 : len(text)-1]), true
	}
	_, err := time.ParseDuration(o.Default)
	return String(o.Default), err == nil
}
