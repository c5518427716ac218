package importer

import (
	"maps"
	"slices"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/config"
)

// Simplify gives what repeats in the checks of all virtual services a block defaults, which it
// adds, and makes real servers that repeat one block. What lvsd reads is the same before and after.
// The blocks are tidy.
func Simplify(blocks []*Block) []*Block {
	blocks = withDefaults(blocks)
	for _, b := range blocks {
		if b.Kind == "virtual_service" {
			b.repeated()
		}
	}
	return blocks
}

// withDefaults adds what checks have in common.
func withDefaults(blocks []*Block) []*Block {
	all, implied := checksIn(blocks)
	if implied || slices.ContainsFunc(blocks, func(b *Block) bool { return b.Kind == "defaults" }) {
		return blocks // A check that is nowhere written has the defaults, too.
	}
	d := NewBlock("defaults")
	schema := inner(d, config.Schema())
	every := newCommon(schema, everyKind, all)
	every.into(d)
	byKind := map[string][]*Block{}
	for _, c := range all {
		byKind[c.Labels[0]] = append(byKind[c.Labels[0]], c)
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		c := newCommon(schema, kind, byKind[kind])
		c.except(every)
		c.into(d)
	}
	if len(d.Items) == 0 {
		return blocks
	}
	blocks = append(blocks, d)
	arrange(blocks)
	return blocks
}

// checksIn returns the checks of all virtual services. Implied: there is a server whose check
// is not written.
func checksIn(blocks []*Block) (all []*Block, implied bool) {
	for _, b := range blocks {
		if b.Kind != "virtual_service" {
			continue
		}
		own := b.of("check")
		all = append(all, own...)
		for _, r := range slices.Concat(b.of("real_server"), b.of("fallback")) {
			theirs := r.of("check")
			all = append(all, theirs...)
			implied = implied || len(own)+len(theirs) == 0 && r.Kind == "real_server"
		}
	}
	return slices.DeleteFunc(all, func(c *Block) bool { return c.Labels[0] == "none" }), implied
}

// of returns the blocks of a kind in a block.
func (b *Block) of(kind string) (all []*Block) {
	for _, it := range b.Items {
		if i, is := it.(*Block); is && i.Kind == kind {
			all = append(all, i)
		}
	}
	return all
}

// A common is what checks have in common: those of one kind, or of all.
type common struct {
	block  *Block
	schema *block.Schema
	checks []*Block
	saved  int // lines, by what is in the block
}

// Lines that a block takes, and how few are worth one. Which part of checks have the same.
const (
	blockLines = 3
	worth      = 3
	most       = 3. / 4
)

// everyKind stands for all kinds of checks, which have the timing in common.
const everyKind = "*"

// shorter are refused where they are longer than the interval, also in defaults.
var shorter = []string{"fast_interval", "down_interval"}

var timing = []string{"interval", "fast_interval", "down_interval", "timeout", "rise", "fall"}

func newCommon(defaults *block.Schema, kind string, checks []*Block) *common {
	c := &common{block: NewBlock("check", kind), checks: checks}
	if len(checks) < 2 {
		return c
	}
	c.schema = inner(checks[0], defaults)
	for _, o := range c.schema.Options {
		switch {
		case kind == everyKind && !slices.Contains(timing, o.Name):
		case o.Name == "address" || o.Name == "port": // They are a server's.
		case o.Block != nil:
			c.same(o.Name)
		default:
			c.frequent(o.Name)
		}
	}
	return c
}

// needed are the arguments of kinds of checks without which lvsd refuses a block expect, or
// reads it otherwise, also in defaults.
var needed = map[string]string{"dns": "type", "mysql": "query", "postgres": "query"}

// same takes a block that all checks have.
func (c *common) same(kind string) {
	if name := needed[c.block.Labels[0]]; kind == "expect" && c.block.Get(name) == nil && c.majority(name) != nil {
		return
	}
	first := c.checks[0].of(kind)
	for _, check := range c.checks {
		if has := check.of(kind); len(has) != 1 || !has[0].Alike(first[0]) {
			return
		}
	}
	c.block.Items = append(c.block.Items, first[0])
	c.saved += len(c.checks) - 1
}

// frequent takes the value of an argument that most checks have. Those without it have lvsd's
// default, which is written there, or cannot have it any more.
func (c *common) frequent(name string) {
	best, given, count := c.majority(name), 0, 0
	if best == nil || slices.Contains(shorter, name) && c.block.Get("interval") == nil {
		return
	}
	for _, check := range c.checks {
		if a := check.Get(name); a != nil {
			given++
			if a.alike(best) {
				count++
			}
		}
	}
	without := len(c.checks) - given
	_, known := defaultOf(c.schema, name)
	if without > 0 && !known || float64(count) < most*float64(len(c.checks)) {
		return
	}
	if saved := count - without - 1; saved > 0 {
		c.block.Items = append(c.block.Items, &Arg{Name: name, Value: best.Value, Comment: best.Comment})
		c.saved += saved
	}
}

// majority returns the only argument that more than half of those of a name may be like: each
// other one is struck out against one that differs from it. There may be 20,000 of them.
func (c *common) majority(name string) (a *Arg) {
	votes := 0
	for _, check := range c.checks {
		own := check.Get(name)
		switch {
		case own == nil:
		case votes == 0:
			a, votes = own, 1
		case own.alike(a):
			votes++
		default:
			votes--
		}
	}
	return a
}

// except takes out what all kinds have in common already.
func (c *common) except(every *common) {
	if every.saved < worth+blockLines {
		return
	}
	if own, all := c.block.Get("interval"), every.block.Get("interval"); own != nil && all != nil && !own.Value.Equal(all.Value) {
		for _, name := range shorter {
			c.block.Remove(name)
		}
	}
	c.block.Items = slices.DeleteFunc(c.block.Items, func(it Item) bool {
		a, is := it.(*Arg)
		return is && every.block.Get(a.Name) != nil
	})
	c.saved = len(c.block.Items) * (len(c.checks) - 1)
}

// into puts the block into the defaults, if it is worth it, and takes what is in it out of the
// checks.
func (c *common) into(defaults *Block) {
	if c.saved < worth+blockLines {
		return
	}
	for _, it := range c.block.Items {
		if a, is := it.(*Arg); is {
			c.take(a)
		} else {
			c.takeBlock(it.(*Block))
		}
	}
	defaults.Items = append(defaults.Items, c.block)
}

// take takes an argument out of the checks that have this value.
func (c *common) take(a *Arg) {
	otherwise, _ := defaultOf(c.schema, a.Name)
	for _, check := range c.checks {
		own := check.Get(a.Name)
		switch {
		case own == nil:
			check.Set(a.Name, otherwise)
		case own.alike(a):
			a.From = append(a.From, own.From...)
			check.Remove(a.Name)
		}
	}
}

// takeBlock takes a block out of all checks.
func (c *common) takeBlock(b *Block) {
	for _, check := range c.checks {
		i := slices.IndexFunc(check.Items, func(it Item) bool {
			o, is := it.(*Block)
			return is && o.Kind == b.Kind
		})
		if own := check.Items[i].(*Block); own != b {
			b.Absorb(own)
		}
		check.Items = slices.Delete(check.Items, i, i+1)
	}
}
