package importer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxInline is the width up to which a block with one argument is written on one line.
const maxInline = 100

// Write returns blocks as text of lvsd's language.
func Write(blocks []*Block) string {
	w := &writer{}
	for i, b := range blocks {
		if i > 0 {
			w.WriteByte('\n')
		}
		w.block(b, "")
	}
	return w.String()
}

// Sources returns what the lines were made of that Write writes of blocks, by their numbers.
func Sources(blocks []*Block) map[int][]Place {
	w := &writer{from: make(map[int][]Place)}
	for i, b := range blocks {
		if i > 0 {
			w.WriteByte('\n')
		}
		w.block(b, "")
	}
	return w.from
}

type writer struct {
	strings.Builder
	from        map[int][]Place // by lines; nil: nobody asks
	lines, seen int             // what of the text was counted
}

// mark notes what the next line is made of.
func (w *writer) mark(from []Place) {
	if w.from != nil {
		w.lines += strings.Count(w.String()[w.seen:], "\n")
		w.seen = w.Len()
		w.from[w.lines+1] = from
	}
}

func (w *writer) comment(lines []string, indent string) {
	for _, line := range lines {
		w.WriteString(strings.TrimRight(indent+"# "+line, " ") + "\n")
	}
}

// block writes a block, on one line if it has one argument or none.
func (w *writer) block(b *Block, indent string) {
	if len(b.Only) > 0 {
		b = b.dynamic()
	}
	w.comment(b.Comment, indent)
	head := indent + b.Kind
	for _, l := range b.Labels {
		head += " " + quote(l)
	}
	if line, ok := inline(b, head); ok {
		if len(b.Items) > 0 {
			w.mark(b.Items[0].(*Arg).made(b))
		} else {
			w.mark(b.From)
		}
		w.WriteString(line + "\n")
		return
	}
	w.mark(b.From)
	w.WriteString(head + " {\n")
	w.items(b, indent+"  ")
	w.WriteString(indent + "}\n")
}

// dynamic returns the block that makes one on some directors only.
func (b *Block) dynamic() *Block {
	some := "node.name == " + quote(b.Only[0])
	if len(b.Only) > 1 {
		some = "contains(" + expression(Strings(b.Only...)) + ", node.name)"
	}
	d := &Block{Kind: "dynamic", Labels: []string{b.Kind}, Comment: b.Comment, From: b.From}
	d.Set("for_each", Expr(some+" ? [1] : []"))
	if len(b.Labels) > 0 {
		d.Set("labels", Strings(b.Labels...))
	}
	d.Items = append(d.Items, &Block{Kind: "content", Items: b.Items})
	return d
}

// inline returns a block as one line.
func inline(b *Block, head string) (line string, ok bool) {
	if len(b.Items) == 0 {
		return head + " {}", true
	}
	a, is := b.Items[0].(*Arg)
	if !is || len(b.Items) > 1 || indentOf(head) == "" {
		return "", false
	}
	line = head + " { " + a.Name + " = " + expression(a.Value) + " }"
	if a.Comment != "" {
		line += " # " + a.Comment
	}
	return line, utf8.RuneCountInString(line) <= maxInline && !strings.Contains(line, "\n")
}

func indentOf(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " "))] }

// items writes what a block contains. The signs of arguments on lines that follow each
// other stand below each other, and so do their comments.
func (w *writer) items(of *Block, indent string) {
	items := of.Items
	for i := 0; i < len(items); {
		if b, is := items[i].(*Block); is {
			if i > 0 && (tall(b, indent) || tall(items[i-1], indent)) {
				w.WriteByte('\n')
			}
			w.block(b, indent)
			i++
			continue
		}
		end := i
		for end < len(items) && argument(items[end]) != nil {
			end++
		}
		w.arguments(of, items[i:end], indent)
		i = end
	}
}

// tall reports whether an item is a block that takes more than one line.
func tall(it Item, indent string) bool {
	b, is := it.(*Block)
	if !is {
		return false
	}
	_, short := inline(b, indent+b.Kind+strings.Join(b.Labels, "     "))
	return !short || len(b.Comment)+len(b.Only) > 0
}

func argument(it Item) *Arg {
	a, _ := it.(*Arg)
	return a
}

// arguments writes arguments on lines that follow each other.
func (w *writer) arguments(of *Block, items []Item, indent string) {
	name, long := 0, 0
	texts := make([]string, len(items))
	for _, it := range items {
		name = max(name, len(argument(it).Name))
	}
	for i, it := range items {
		a := argument(it)
		texts[i] = indent + a.Name + strings.Repeat(" ", name-len(a.Name)) + " = " + expression(a.Value)
		if a.Comment != "" {
			long = max(long, utf8.RuneCountInString(texts[i]))
		}
	}
	for i, it := range items {
		w.mark(argument(it).made(of))
		w.WriteString(texts[i])
		if c := argument(it).Comment; c != "" {
			w.WriteString(strings.Repeat(" ", max(0, long-utf8.RuneCountInString(texts[i]))) + " # " + c)
		}
		w.WriteByte('\n')
	}
}

// expression writes a value.
func expression(v Value) string {
	switch v.Type {
	case StringType:
		return quote(v.Text)
	case ListType:
		var all []string
		for _, e := range v.List {
			all = append(all, expression(e))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case NodesType:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v.Nodes)) {
			all = append(all, key(name)+" = "+expression(v.Nodes[name]))
		}
		return "{ " + strings.Join(all, ", ") + " }[node.name]"
	}
	return v.Text
}

// key writes a name in a map, in quotes if it is none of the language's.
func key(name string) string {
	for i := range len(name) {
		c := name[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || c == '-')) {
			return quote(name)
		}
	}
	return name
}

// quote writes a text as HCL reads it.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteString(string(r) + string(r))
		case r == utf8.RuneError || r < ' ' || r == 0x7f:
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
