package block

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/lvsd/lvsd/internal/text"
)

// maxRepairs bounds how many broken lines of one item are taken out: each costs
// parsing the item again. An item that takes long to parse, because it is larger
// than maxRepairable, in bytes, or has more operators, is not repaired.
const (
	maxRepairs          = 20
	maxRepairable       = 256 << 10
	repairableOperators = 1000
)

// lost stands for what was taken out of a broken line: it is the type of a block
// whose head is unknown, and a variable whose value is.
const lost = "_"

// givenValue is the begin of a line that gives an argument a value.
var givenValue = text.Pattern(`^[ \t]*[\pL_][\pL\d_-]*[ \t]*=[ \t]*`)

// repair takes out of an item what is broken on the line of a diagnostic, and
// keeps the places of all else. An argument keeps its name and a block its brace.
// ok is false where the line is a part of something larger.
func repair(text []byte, c chunk, diag *hcl.Diagnostic) (repaired []byte, ok bool) {
	costly := len(text) > maxRepairable || c.operators > repairableOperators
	if diag.Subject == nil || diag.Summary == unclosedBlock || costly {
		return nil, false
	}
	i := min(max(diag.Subject.Start.Byte-c.start, 0), len(text))
	start := bytes.LastIndexByte(text[:i], '\n') + 1
	end := len(text)
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		end = i + n
	}
	line, head, whole := text[start:end], givenValue().Find(text[start:end]), structure(text, start, end)
	repaired = bytes.Clone(text)
	room := repaired[start:end]
	if len(head) < len(line) && whole == ends {
		room = room[len(head):]
	}
	if len(bytes.TrimSpace(room)) == 0 || whole == partial || len(room) < len(lost+"{") && whole == opens {
		return nil, false
	}
	for i := range room {
		room[i] = ' '
	}
	switch {
	case whole == opens:
		copy(room, lost)
		room[len(room)-1] = '{'
	case len(head) > 0:
		copy(room, lost)
	}
	return repaired, !bytes.Equal(repaired, text)
}

// What a line is in the structure of its item.
type lineStructure int

const (
	partial lineStructure = iota // of something that goes over several lines
	ends                         // whole by itself
	opens                        // the head of a block
)

// structure returns what the line from start to end is.
func structure(text []byte, start, end int) lineStructure {
	s := scanner{cursor: cursor{text: text[:end], line: 1}}
	for s.pos < start {
		s.step()
	}
	before := bytes.Clone(s.stack)
	if s.pos > start || len(bytes.Trim(before, "{")) > 0 {
		return partial
	}
	for s.pos < end {
		s.step()
	}
	switch after := bytes.TrimSuffix(s.stack, []byte(`"`)); { // a line ends a quoted text
	case bytes.Equal(after, before):
		return ends
	case bytes.Equal(after, append(before, '{')):
		return opens
	default:
		return partial
	}
}

// repaired notes that something was taken out: nobody knows what it was, so
// nothing that is missing is reported.
func (d *decoder) repaired() {
	d.incomplete = true
	d.ctx.Variables = map[string]cty.Value{lost: cty.DynamicVal}
}
