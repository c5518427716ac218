package config

import (
	"slices"
	"strconv"

	"github.com/lvsd/lvsd/internal/block"
	"github.com/lvsd/lvsd/vrrp"
)

// conditions are the kinds of conditions. A new one is a file with its options and
// what it makes of them, and a name here.
var conditions = []conditionKind{trackInterface, trackPing, trackService, trackFile, trackProcess, trackExec}

// trackKinds are those kinds where they are tracked, and definedKinds where they are
// defined.
var (
	trackKinds   = kindsOf("track", func(k conditionKind) func() *block.Schema { return k.tracked })
	definedKinds = kindsOf("condition", func(k conditionKind) func() *block.Schema { return k.defined })
)

func kindsOf(name string, schema func(conditionKind) func() *block.Schema) *block.Kinds[conditionKind] {
	var list []block.Kind[conditionKind]
	for _, k := range conditions {
		list = append(list, block.Kind[conditionKind]{Name: k.name, Help: k.help, Schema: schema(k), Decode: k})
	}
	return block.NewKinds(name, list...)
}

// readCondition reads a condition that is defined by a block of its own.
func readCondition(b *block.Body) []definition {
	b.CheckName(1)
	kind, known := definedKinds.Of(b)
	if !known {
		return nil
	}
	return []definition{kind.define(b)}
}

// readTracks reads what a virtual router tracks, and the conditions that are defined
// there.
func readTracks(b *block.Body) (tracks []vrrp.Track, defined []definition) {
	for inner := range b.Blocks("track") {
		inner.CheckName(1)
		kind, known := trackKinds.Of(inner)
		if !known {
			continue
		}
		t, d := kind.track(inner)
		if tracked(tracks, t.Condition) {
			inner.Mistake(inner.LabelAt(1), "Duplicate track", "There is another track %q %q here: remove one of the two.", kind.name, inner.Labels[1])
			continue
		}
		tracks = append(tracks, t)
		if d != nil {
			defined = append(defined, *d)
		} else {
			b.Claim(conditionReference, t.Condition, strconv.Itoa(t.Weight), inner.LabelAt(1))
		}
	}
	return tracks, defined
}

// tracked reports whether a condition is among what is tracked.
func tracked(tracks []vrrp.Track, condition string) bool {
	return slices.ContainsFunc(tracks, func(t vrrp.Track) bool { return t.Condition == condition })
}
