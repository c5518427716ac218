package importer

import (
	"maps"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
)

// Merge makes one configuration of those of several directors, by their names: all directors
// of lvsd have the same files. What is equal is there once; an argument that differs becomes an
// expression on node.name. A block that only some directors have is made on them alone; an argument
// that only some have, and that has no default, is kept for all, and told.
func Merge(of map[string]Result) Result {
	m := merger{nodes: slices.Sorted(maps.Keys(of))}
	lists := make(map[string][]Item)
	for _, node := range m.nodes {
		r := of[node]
		for _, b := range r.Blocks {
			lists[node] = append(lists[node], b)
		}
		m.files(r.Files)
		for _, l := range r.Losses {
			l.Node = node
			m.Losses = append(m.Losses, l)
		}
	}
	for _, it := range m.items(lists, config.Schema(), "the configuration") {
		m.Blocks = append(m.Blocks, it.(*Block))
	}
	m.Losses = collapse(m.Losses, len(m.nodes))
	return m.Result
}

type merger struct {
	nodes []string
	Result
}

// files adds files; those of one name are one.
func (m *merger) files(all []File) {
	for _, f := range all {
		i := slices.IndexFunc(m.Files, func(g File) bool { return g.Name == f.Name })
		switch {
		case i < 0:
			m.Files = append(m.Files, f)
		case m.Files[i].Secret != f.Secret:
			m.Losses = append(m.Losses, Loss{Kind: Lost, Text: f.Name, Reason: "the directors have different secrets for it, and the first one's is kept"})
		}
	}
}

// A slot is where an item is among those of a block: items of different directors with the
// same one are the same.
type slot struct {
	kind, labels string
	argument     bool
	nth          int // among those that are alike otherwise
}

// slots are the items of one director by their slots, in their order.
func slots(items []Item) (order []slot, at map[slot]Item) {
	at = make(map[slot]Item)
	count := make(map[slot]int)
	for _, it := range items {
		s := slot{}
		switch it := it.(type) {
		case *Arg:
			s.kind, s.argument = it.Name, true
		case *Block:
			s.kind, s.labels = it.Kind, strings.Join(it.Labels, "\x00")
		}
		same := s
		s.nth = count[same]
		count[same]++
		at[s] = it
		order = append(order, s)
	}
	return order, at
}

// items merges what blocks of several directors contain, in the order of the first one, and
// then of the others.
func (m *merger) items(lists map[string][]Item, schema *block.Schema, where string) (all []Item) {
	var order []slot
	of := make(map[slot]map[string]Item)
	for _, node := range m.nodes {
		list, given := lists[node]
		if !given {
			continue
		}
		theirs, at := slots(list)
		for _, s := range theirs {
			if of[s] == nil {
				of[s] = make(map[string]Item)
				order = append(order, s)
			}
			of[s][node] = at[s]
		}
	}
	for _, s := range order {
		if s.argument {
			all = append(all, m.argument(s.kind, of[s], lists, schema, where))
		} else {
			all = append(all, m.block(of[s], lists, schema, where))
		}
	}
	return all
}

// argument merges an argument.
func (m *merger) argument(name string, of map[string]Item, lists map[string][]Item, schema *block.Schema, where string) *Arg {
	values := make(map[string]Value)
	merged := &Arg{Name: name}
	equal := true
	var first *Arg
	for _, node := range m.nodes {
		it := of[node]
		if it == nil {
			continue
		}
		a := it.(*Arg)
		if first == nil {
			first = a
		}
		values[node] = a.Value
		merged.From = append(merged.From, a.From...)
		equal = equal && a.Value.Equal(first.Value)
	}
	merged.Value, merged.Comment = first.Value, first.Comment
	missing := m.without(of, lists)
	if fallback, known := defaultOf(schema, name); known {
		for _, node := range missing {
			values[node] = fallback
			equal = equal && fallback.Equal(first.Value)
		}
	} else if len(missing) > 0 {
		m.partly(Loss{Kind: Differs, Text: name + " in " + where, Reason: strings.Join(missing, ", ") + " lacks it, and all directors have it now", Remedy: "Check that it is meant for all, or remove it."}, first.From)
		for _, node := range missing { // Each director must have a value.
			values[node] = first.Value
		}
	}
	if !equal {
		merged.Value = ByNode(values)
	}
	return merged
}

// without are the directors that have the block around something, but not it.
func (m *merger) without(of map[string]Item, lists map[string][]Item) (missing []string) {
	for _, node := range m.nodes {
		if _, has := lists[node]; has && of[node] == nil {
			missing = append(missing, node)
		}
	}
	return missing
}

// partly tells of something that not all directors have.
func (m *merger) partly(l Loss, from []Place) {
	if len(from) > 0 {
		l.Place = from[0]
	}
	m.Losses = append(m.Losses, l)
}

// block merges a block.
func (m *merger) block(of map[string]Item, lists map[string][]Item, schema *block.Schema, where string) *Block {
	var merged *Block
	inside := make(map[string][]Item)
	for _, node := range m.nodes {
		it := of[node]
		if it == nil {
			continue
		}
		b := it.(*Block)
		if merged == nil {
			merged = &Block{Kind: b.Kind, Labels: b.Labels, Comment: b.Comment}
		}
		for _, line := range b.Comment {
			if !slices.Contains(merged.Comment, line) {
				merged.Comment = append(merged.Comment, line)
			}
		}
		merged.From = append(merged.From, b.From...)
		inside[node] = b.Items
	}
	name := strings.Join(append([]string{merged.Kind}, merged.Labels...), " ")
	missing := m.without(of, lists)
	switch {
	case len(missing) == 0:
	case merged.Kind == "director": // All have one; what is in it is theirs alone.
		for _, node := range missing {
			inside[node] = nil
		}
	default:
		for _, node := range m.nodes {
			if of[node] != nil {
				merged.Only = append(merged.Only, node)
			}
		}
		m.partly(Loss{Kind: Note, Text: name + " in " + where, Reason: strings.Join(missing, ", ") + " lacks it: a dynamic block makes it on " + strings.Join(merged.Only, ", ") + " alone", Remedy: "Write it without dynamic if it is meant for all."}, merged.places())
	}
	merged.Items = m.items(inside, inner(merged, schema), name)
	return merged
}

// collapse tells once what is said of all directors in the same words of the same place.
func collapse(all []Loss, nodes int) (list []Loss) {
	count := make(map[Loss]int)
	for _, l := range all {
		l.Node = ""
		count[l]++
	}
	told := make(map[Loss]bool)
	for _, l := range all {
		same := l
		same.Node = ""
		if count[same] == nodes {
			l = same
		}
		if !told[l] {
			told[l] = true
			list = append(list, l)
		}
	}
	return list
}
