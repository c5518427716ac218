package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/internal/golden"
)

// The comments of examples/reference.hcl and the sections of the manual page
// about options come from the tables. After a change of a table run
//
//	go test ./internal/config -run Reference -update

func TestReferenceIsCurrent(t *testing.T) {
	path := filepath.Join(examples, "reference.hcl")
	current(t, path, func(text string) string {
		return string(hclwrite.Format([]byte(commented(text))))
	})
}

func TestReferenceInManualIsCurrent(t *testing.T) {
	current(t, manual, func(text string) string {
		before, rest, _ := strings.Cut(text, ".Sh TOP LEVEL\n")
		_, after, found := strings.Cut(rest, ".Sh FILES\n")
		if !found {
			t.Fatal("the sections about options are between TOP LEVEL and FILES")
		}
		return before + sections() + ".Sh FILES\n" + after
	})
}

// current compares a file with what is made of it, or writes that.
func current(t *testing.T, path string, generate func(string) string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	made := []byte(generate(string(text)))
	if *golden.Update && !bytes.Equal(text, made) {
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(string(made), string(text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// same reports whether two kinds of a block mean the same by an option.
func same(a, b *block.Option) bool { return a.Name == b.Name && a.Help == b.Help }

// every lists the options of a block, with those of its kinds, each once.
func every(s *block.Schema) []*block.Option {
	list := slices.Clone(s.Options)
	for _, k := range s.Kinds {
		for _, o := range k.Schema().Options {
			if !slices.ContainsFunc(list, func(x *block.Option) bool { return same(x, o) }) {
				list = append(list, o)
			}
		}
	}
	return list
}

// with lists the kinds of a block that have an option, and counts those of the
// others that have any, but for those that consist of such blocks.
func with(s *block.Schema, o *block.Option) (kinds []string, others int) {
	for _, k := range s.Kinds {
		if slices.ContainsFunc(k.Schema().Options, func(x *block.Option) bool { return same(x, o) }) {
			kinds = append(kinds, k.Name)
		} else if !slices.ContainsFunc(k.Schema().Options, func(x *block.Option) bool { return x.Block == s }) && len(k.Schema().Options) > 0 {
			others++
		}
	}
	return kinds, others
}

// only says which kinds of a block have an option, where not all of them do.
func only(s *block.Schema, o *block.Option) string {
	kinds, others := with(s, o)
	if others == 0 {
		return ""
	}
	return fmt.Sprintf("Only with %s.", strings.Trim(strings.ReplaceAll(fmt.Sprintf("%q", kinds), "\" \"", "\", \""), "[]"))
}

// ofMost reports whether most kinds of a block have an option.
func ofMost(s *block.Schema, o *block.Option) bool {
	kinds, others := with(s, o)
	return len(kinds) > others
}

// limits says which values an option may have, and its default.
func limits(o *block.Option) string {
	if o.Block != nil {
		return ""
	}
	first := strings.TrimSpace(o.Range)
	switch {
	case o.Default == "" && first == "":
		return "No default."
	case o.Default == "":
		return capital(first) + "; no default."
	case first == "":
		return "Default: " + o.Default + "."
	default:
		return capital(first) + "; default: " + o.Default + "."
	}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// An explainer explains the values or kinds of an option where it is first
// mentioned.
type explainer map[string]bool

func (said explainer) explanations(o *block.Option) (list [][2]string) {
	about := o.Name + fmt.Sprint(o.Words)
	if said[about] {
		return nil
	}
	for _, w := range o.Words {
		if w[1] != "" {
			list = append(list, [2]string{fmt.Sprintf("%q", w[0]), w[1]})
		}
	}
	if o.Block != nil {
		for _, k := range o.Block.Kinds {
			list = append(list, [2]string{fmt.Sprintf("%s %q", o.Name, k.Name), k.Help})
		}
	}
	said[about] = len(list) > 0
	return list
}

// In the reference.

var (
	opened   = regexp.MustCompile(`^ *(\w+)((?: "[^"]*")*) \{$`)
	oneLine  = regexp.MustCompile(`^ *(\w+)(?: "[^"]*")* \{.*\}(?: #.*)?$`)
	assigned = regexp.MustCompile(`^ *(?:# )?(\w+) += `)
	trailing = regexp.MustCompile(` +# .*$`)
)

// A place is inside a block: all that is there for its type, and what its kind has of it.
type place struct{ all, kind *block.Schema }

// within is the place inside a block of a type with labels.
func within(s *block.Schema, labels string) place {
	for _, k := range s.Kinds {
		if strings.HasPrefix(labels, fmt.Sprintf(" %q", k.Name)) {
			return place{s, k.Schema()}
		}
	}
	return place{s, s}
}

// commented puts above the first use of every option what the tables say of
// it, instead of the comment that is there.
func commented(text string) string {
	var out []string
	stack, seen, said := []place{within(top.Schema(), "")}, map[string]bool{}, explainer{}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		in := stack[len(stack)-1]
		name, labels, isBlock := "", "", false
		if m := opened.FindStringSubmatch(trailing.ReplaceAllString(line, "")); m != nil {
			name, labels, isBlock = m[1], m[2], true
		} else if m := oneLine.FindStringSubmatch(line); m != nil {
			name = m[1]
		} else if m := assigned.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		o := find(in.kind, name)
		if o != nil && !seen[in.all.Name+"."+name+o.Help] {
			seen[in.all.Name+"."+name+o.Help] = true
			out = append(uncommented(out), said.comment(in.all, o, len(line)-len(strings.TrimLeft(line, " ")))...)
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				line = trailing.ReplaceAllString(line, "")
			}
		}
		switch {
		case isBlock && o != nil:
			stack = append(stack, within(o.Block, labels))
		case isBlock:
			stack = append(stack, within(&block.Schema{Name: name}, "")) // dynamic
		case strings.TrimSpace(line) == "}":
			stack = stack[:len(stack)-1]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n") + "\n"
}

func find(s *block.Schema, name string) *block.Option {
	for _, o := range every(s) {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// uncommented takes the comment off the end of some lines, and sets an empty
// line before what follows, but at the begin of a block and below a headline.
func uncommented(lines []string) []string {
	for n := len(lines); n > 0; n = len(lines) {
		last := strings.TrimSpace(lines[n-1])
		if !strings.HasPrefix(last, "# ") || strings.HasPrefix(last, "# ----") || assigned.MatchString(lines[n-1]) {
			break
		}
		lines = lines[:n-1]
	}
	if last := lines[len(lines)-1]; last != "" && !strings.HasSuffix(last, "{") {
		lines = append(lines, "")
	}
	return lines
}

// comment is what the tables say of an option, as lines of a comment.
func (said explainer) comment(in *block.Schema, o *block.Option, indent int) (lines []string) {
	prefix := strings.Repeat(" ", indent) + "# "
	for _, line := range append(fill(o.Help, 79-len(prefix)), fill(only(in, o)+" "+limits(o), 79-len(prefix))...) {
		if line != "" {
			lines = append(lines, prefix+line)
		}
	}
	width, list := 0, said.explanations(o)
	for _, e := range list {
		width = max(width, len(e[0])+2)
	}
	for _, e := range list {
		for i, line := range fill(e[1], 77-len(prefix)-width) {
			head := ""
			if i == 0 {
				head = e[0]
			}
			lines = append(lines, fmt.Sprintf("%s  %-*s%s", prefix, width, head, line))
		}
	}
	return lines
}

// fill breaks a text into lines of at most width bytes.
func fill(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// In the manual.

// sections are the manual's sections about options.
func sections() string {
	var b strings.Builder
	b.WriteString(".Sh TOP LEVEL\n")
	said := explainer{}
	said.list(&b, top.Schema(), "", top.Schema().Options)
	done := map[*block.Schema]bool{}
	for _, o := range top.Schema().Options {
		if len(every(o.Block)) == 0 {
			continue
		}
		fmt.Fprintf(&b, ".Sh %s\n", strings.ToUpper(o.Name))
		said.section(&b, o)
		said.subsections(&b, o.Block, done)
	}
	refused(&b)
	return b.String()
}

// section is what a block may hold. What few of its kinds have follows for each of these.
func (said explainer) section(b *strings.Builder, o *block.Option) {
	if len(o.Block.Kinds) == 0 {
		said.list(b, o.Block, "", o.Block.Options)
		return
	}
	b.WriteString("The kinds are\n")
	definitions(b, said.explanations(o))
	isCommon := func(x *block.Option) bool { return ofMost(o.Block, x) }
	listed := slices.DeleteFunc(every(o.Block), func(x *block.Option) bool { return !isCommon(x) })
	said.list(b, o.Block, "", listed)
	for _, k := range o.Block.Kinds {
		var own []*block.Option
		var before []string
		for _, x := range k.Schema().Options {
			switch {
			case isCommon(x):
			case slices.ContainsFunc(listed, func(y *block.Option) bool { return same(x, y) }):
				before = append(before, x.Name)
			default:
				own = append(own, x)
			}
		}
		listed = append(listed, own...)
		if len(own)+len(before) == 0 {
			continue
		}
		fmt.Fprintf(b, ".Ss %s \\(dq%s\\(dq\n", o.Name, k.Name)
		if len(before) > 0 {
			sentences(b, fmt.Sprintf("It also has options that are described above: %s.", strings.Join(before, ", ")))
		}
		said.list(b, o.Block, k.Name, own)
	}
}

// refused is the manual's section about words of keepalived that lvsd will not have. The
// messages about them come from the same table.
func refused(b *strings.Builder) {
	b.WriteString(".Sh WHAT KEEPALIVED HAS AND LVSD HAS NOT\n")
	sentences(b, "These words of keepalived have no counterpart, by design. Of each, this is the reason, and what to use. "+
		"For all other words, the message about one that is written here says what to write, or that there is nothing yet.")
	b.WriteString(".Bl -tag -width Ds\n")
	for _, w := range keepalived().words {
		if w.fate != never {
			continue
		}
		b.WriteString(".It Xo\n")
		names := strings.Join(strings.Fields(w.names), " , ")
		for _, line := range fill(names, 70) {
			b.WriteString(".Li " + strings.TrimPrefix(line, ", ") + "\n")
		}
		b.WriteString(".Xc\n")
		sentences(b, w.advice)
	}
	b.WriteString(".El\n")
}

// subsections are those of the blocks inside a block.
func (said explainer) subsections(b *strings.Builder, s *block.Schema, done map[*block.Schema]bool) {
	for _, o := range every(s) {
		if o.Block == nil || done[o.Block] {
			continue
		}
		done[o.Block] = true
		title := o.Name
		if kinds, others := with(s, o); others > 0 {
			title = fmt.Sprintf("%s (%s)", o.Name, strings.Join(kinds, ", "))
		}
		fmt.Fprintf(b, ".Ss %s\n", title)
		said.section(b, o)
	}
	for _, o := range every(s) {
		if o.Block != nil && o.Block != s {
			said.subsections(b, o.Block, done)
		}
	}
}

// list is what a block may hold, or one kind of it.
func (said explainer) list(b *strings.Builder, s *block.Schema, kind string, options []*block.Option) {
	if len(options) == 0 {
		return
	}
	b.WriteString(".Bl -tag -width Ds\n")
	for _, o := range options {
		b.WriteString(".It Ic " + o.Name)
		for _, l := range o.Labels {
			b.WriteString(" Ar " + l)
		}
		b.WriteString("\n")
		restriction := only(s, o)
		if kinds, _ := with(s, o); slices.Equal(kinds, []string{kind}) {
			restriction = "" // The headline says so.
		}
		sentences(b, o.Help+" "+restriction+" "+limits(o))
		if o.Block == nil {
			definitions(b, said.explanations(o))
		}
	}
	b.WriteString(".El\n")
}

func definitions(b *strings.Builder, list [][2]string) {
	if len(list) == 0 {
		return
	}
	b.WriteString(".Bl -tag -width Ds\n")
	for _, e := range list {
		fmt.Fprintf(b, ".It Li %s\n", escape(e[0]))
		sentences(b, e[1])
	}
	b.WriteString(".El\n")
}

// sentences writes a text as the manual's source has it: a sentence begins on
// a line.
func sentences(b *strings.Builder, text string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, sentence := range strings.SplitAfter(escape(text), ". ") {
		for _, line := range fill(sentence, 78) {
			if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
				line = `\&` + line
			}
			b.WriteString(line + "\n")
		}
	}
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\e`, `"`, `\(dq`).Replace(s)
}
