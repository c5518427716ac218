package block

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A kitchen is a language of its own: this package knows nothing of directors.
type dish struct {
	Name     string
	Heat     heat
	Portions int
	Hot      bool
}

type heat struct {
	Time  time.Duration
	Power uint8
}

var heatTable = NewTable("heat", func() []Entry[heat] {
	return []Entry[heat]{
		Duration("time", "How long.", time.Minute, time.Second, time.Hour, func(h *heat) *time.Duration { return &h.Time }),
		Count("power", "How strong.", 5, 1, 9, func(h *heat) *uint8 { return &h.Power }),
	}
})

var dishTable = NewTable("dish", func() []Entry[dish] {
	return []Entry[dish]{
		Count("portions", "For how many.", 2, 1, 100, func(d *dish) *int { return &d.Portions }),
		Flag("hot", "With chili.", false, func(d *dish) *bool { return &d.Hot }),
		Inner("heat", "How it is heated.", heatTable, func(d *dish) *heat { return &d.Heat }),
		Many[dish]("side", "What comes with it.", sides.Schema(), "kind"),
	}
})

var sides = NewKinds("side",
	Kind[func(*Body) string]{Name: "rice", Schema: riceTable.Schema, Decode: func(b *Body) string { riceTable.Read(b); return "rice" }},
	Kind[func(*Body) string]{Name: "bread", Schema: breadTable.Schema, Decode: func(b *Body) string { breadTable.Read(b); return "bread" }},
)

var (
	riceTable = NewTable("side", func() []Entry[dish] {
		return []Entry[dish]{Count("power", "How strong.", 5, 1, 9, func(d *dish) *uint8 { return &d.Heat.Power })}
	})
	breadTable = NewTable[dish]("side", nil)
)

var kitchen = &Language{Top: NewTable("the menu", func() []Entry[dish] {
	return []Entry[dish]{Many[dish]("dish", "Something to eat.", dishTable.Schema(), "name")}
}).Schema()}

// cook decodes a menu; every dish inherits from the one before it.
func cook(text string) (dishes []dish, mistakes []string) {
	s := Sources{files: []*source{{name: "menu.hcl", text: []byte(text)}}}
	d := dishTable.Start()
	var all Reports
	for _, r := range Parse(kitchen, s, Options{}, nil, func(b *Body, into *[]dish) {
		d.Name = b.Labels[0]
		dishTable.Decode(b, &d)
		for inner := range b.Blocks("side") {
			if decode, ok := sides.Of(inner); ok {
				d.Name += " with " + decode(inner)
			}
		}
		*into = append(*into, d)
	}) {
		dishes = append(dishes, r.Value...)
		all.Add(r.Reports)
	}
	for _, m := range s.Diagnostics(all, nil) {
		mistakes = append(mistakes, m.String())
	}
	return dishes, mistakes
}

func TestDefaultsAndInheritance(t *testing.T) {
	if got, want := dishTable.Start(), (dish{Portions: 2, Heat: heat{time.Minute, 5}}); got != want {
		t.Errorf("the defaults are %+v, want %+v", got, want)
	}
	dishes, mistakes := cook("dish \"soup\" {\n  portions = 4\n  heat { power = 9 }\n  side \"bread\" {}\n}\n")
	want := []dish{{Name: "soup with bread", Portions: 4, Heat: heat{time.Minute, 9}}}
	if diff := cmp.Diff(want, dishes); diff != "" || mistakes != nil {
		t.Errorf("mistakes %v, dishes (-want +got):\n%s", mistakes, diff)
	}
	var d dish
	b := decodeOne(t, "dish \"stew\" {\n  hot = true\n}\n")
	d.Portions, d.Heat = 7, heat{time.Hour, 1}
	dishTable.Decode(b, &d)
	if want := (dish{Portions: 7, Heat: heat{time.Hour, 1}, Hot: true}); d != want {
		t.Errorf("with inherited values it is %+v, want %+v", d, want)
	}
}

// decodeOne returns the only block of a text.
func decodeOne(t *testing.T, text string) (body *Body) {
	t.Helper()
	Parse(kitchen, Sources{files: []*source{{name: "menu.hcl", text: []byte(text)}}}, Options{}, nil, func(b *Body, _ *struct{}) { body = b })
	if body == nil {
		t.Fatalf("no block: %s", text)
	}
	return body
}

// What a table's lines say is what the messages say.
func TestMessagesComeFromTheTables(t *testing.T) {
	_, mistakes := cook("dish \"soup\" {\n  portions = 0\n  portion = 1\n  power = 3\n  heat { time = \"2h\" }\n  side \"bread\" { power = 1 }\n  side \"rise\" {}\n}\nsoup {}\n")
	want := []string{
		"menu.hcl:2: Invalid portions: portions must be a whole number from 1 to 100, but this is 0.",
		"menu.hcl:3: Unknown argument \"portion\": There is no argument of this name here. Did you mean \"portions\"?",
		"menu.hcl:4: Unknown argument \"power\": \"power\" belongs in one of the blocks \"heat\" and \"side\", not here.",
		"menu.hcl:5: Invalid time: time must be from 1s to 1h, but this is 2h.",
		"menu.hcl:6: Unused power: side \"bread\" {} has no arguments: remove it.",
		"menu.hcl:7: Unknown side \"rise\": Did you mean \"rice\"? It can be \"rice\" or \"bread\".",
		"menu.hcl:9: Unknown block \"soup\": There is no block of this name here.",
	}
	if diff := cmp.Diff(want, mistakes); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

// The manuals get from a schema what the messages get.
func TestSchemaDescribesTheOptions(t *testing.T) {
	i := slices.IndexFunc(dishTable.Schema().Options, func(o *Option) bool { return o.Name == "portions" })
	if o := dishTable.Schema().Options[i]; o.Range != "1 to 100" || o.Default != "2" || o.Help != "For how many." {
		t.Errorf("portions is described as %+v", o)
	}
}

// A rule that asks for an option that the table does not have is a fault of the
// program, and is found by its first test.
func TestUnknownNamesInRulesPanic(t *testing.T) {
	b := decodeOne(t, "dish \"soup\" {}\n")
	dishTable.Decode(b, &dish{})
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b.Given("colour")
}
