package keepalived

import (
	"math/rand/v2"
	"testing"

	"github.com/lvsd/lvsd/internal/importer/importertest"
)

// FuzzParse checks that no text makes the reader panic, or read for ever.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"vrrp_instance V { # x\n priority 100\n}\n", "@a b\n@^a c", "$A=1 \\\n{ \\\n}\n$A ${A}", "~SEQ(N,1,3) a $N", "~SEQx(N,1,2,8) ~LST({A,B},{1,2},{3}) ${A}",
		"include k.conf", "include {a,b}*.conf", `script "/bin/x 'a b' \"c\" \x41\041\cA"`, "a \"b\nc } } {", "${_RANDOM 1 2} ${_ENV X} ${_PWD}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		files := disk{"k.conf": text, "a.conf": "$B=1\ninclude b.conf", "b.conf": "x {"}
		list, losses, err := Parse(files, "k.conf", Options{ID: "a"})
		if err != nil && (list != nil || losses != nil) {
			t.Error("there are statements and an error")
		}
		for _, s := range list {
			if len(s.Words) == 0 || s.Line == 0 {
				t.Errorf("a statement without words or place: %+v", s)
			}
			s.Command()
			s.List()
		}
	})
}

// FuzzImport checks that no text makes the importer panic, and that nothing is dropped.
func FuzzImport(f *testing.F) {
	for seed := range uint64(20) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
		f.Add(g.configuration())
	}
	f.Fuzz(func(t *testing.T, text string) {
		files := disk{"k.conf": text}
		r, err := Import(files, "k.conf", Options{ID: "a"})
		if err != nil {
			return
		}
		list, _, _ := Parse(files, "k.conf", Options{ID: "a"})
		checkAccounted(t, r, list)
		importertest.Written(r)
	})
}
