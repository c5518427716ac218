package importer

import (
	"slices"
	"strconv"
	"time"
)

// A Value is an expression of lvsd's language.
type Value struct {
	Type  Type
	Text  string           // of a string without quotes; of a number or a truth as it is written
	List  []Value          // of a list
	Nodes map[string]Value // of what differs among directors, by their names
}

// A Type is what a Value is.
type Type int

// The types of values.
const (
	StringType Type = iota + 1
	NumberType
	BoolType
	ListType
	NodesType
	ExprType // an expression as it is written
)

// String is a text.
func String(s string) Value { return Value{Type: StringType, Text: s} }

// Expr is an expression as it is written in lvsd's language.
func Expr(text string) Value { return Value{Type: ExprType, Text: text} }

// Number is a whole number.
func Number[N ~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](n N) Value {
	return Value{Type: NumberType, Text: strconv.FormatInt(int64(n), 10)}
}

// Bool is true or false.
func Bool(b bool) Value { return Value{Type: BoolType, Text: strconv.FormatBool(b)} }

// Duration is a time, written as people do: "1s", "300ms", "5m".
func Duration(d time.Duration) Value {
	for _, unit := range [...]struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "us"}} {
		if d != 0 && d%unit.size == 0 && (unit.size <= time.Second || d/unit.size <= 1000) {
			return String(strconv.FormatInt(int64(d/unit.size), 10) + unit.name)
		}
	}
	if d == 0 {
		return String("0s")
	}
	return String(d.String())
}

// List is a list of values.
func List(list ...Value) Value { return Value{Type: ListType, List: list} }

// Strings is a list of texts.
func Strings(list ...string) Value {
	v := Value{Type: ListType}
	for _, s := range list {
		v.List = append(v.List, String(s))
	}
	return v
}

// ByNode is a value that differs among directors.
func ByNode(nodes map[string]Value) Value { return Value{Type: NodesType, Nodes: nodes} }

// Equal reports whether two values are the same expression.
func (v Value) Equal(o Value) bool {
	if v.Type != o.Type || v.Text != o.Text || len(v.Nodes) != len(o.Nodes) || !slices.EqualFunc(v.List, o.List, Value.Equal) {
		return false
	}
	for name, mine := range v.Nodes {
		if theirs, ok := o.Nodes[name]; !ok || !mine.Equal(theirs) {
			return false
		}
	}
	return true
}
