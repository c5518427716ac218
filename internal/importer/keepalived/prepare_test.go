package keepalived

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWhatALineSaysToTheReader(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		losses     []string
	}{
		"a condition that holds":                    {text: "@a b 1\n@^b c 2\n\t@a\td", want: "b·1 c·2 d"},
		"one that does not":                         {text: "@b c\n@^a d\n@ab e\n@a\n@\n@^ f", want: "f"},
		"a condition in a block":                    {text: "x {\n@a y {\n@b p\n@a }\n}", want: "x{y{}}"},
		"a value":                                   {text: "$A=1\na $A b\nc ${A}b\n$B = 2\nd $B", want: "a·1·b c·1b $B·=·2 d·$B"},
		"a value in the place of another one":       {text: "$A=1\n$A=2\na $A", want: "a·2"},
		"an empty value":                            {text: "$A=\na ${A}b $A", want: "a·b"},
		"a value is put in late":                    {text: "$A=10.${S}\n$S=0\n${A}.1\n$S=9\n${A}.1", want: "10.0.1 10.9.1"},
		"a name without a value stays":              {text: "a $B ${B} $ $1", want: "a·$B·${B} $·$1", losses: []string{"k.conf:1: ${B}"}},
		"a name needs a space behind it":            {text: "$A=1\na $A.1 $A,2 $A)", want: "a·$A.1·1,2·1)"},
		"a condition of a value":                    {text: "$IF=@a\n$NO=@b\n$IF x\n$NO y\n@b $V=1\n@a $V=2\nv $V", want: "x v·2"},
		"a value of several lines":                  {text: "$R= \\\n  real $N { \\\n w 1 \\\n }\n$N=1\n$R\n$N=2\n$R", want: "real·1{w·1} real·2{w·1}"},
		"values of several lines in each other":     {text: "$R= \\\n r $N \\\n s\n$V=v { \\\n $N=1 \\\n $R \\\n $N=2 \\\n $R \\\n }\n$V\nend", want: "v{r·1 s r·2 s} end"},
		"a value of several lines is the last word": {text: "$R=a \\\nb\nx $R y\nz $R", want: "x·$R·y z·a b"},
		"comments in a value":                       {text: "$R=a # x \\\n! y \\\n# z\\\nb\n$R", want: "a b"},
		"an empty line ends a value":                {text: "$R=a \\\n\nb\n$R", want: "b a"},
		"what keepalived gives itself":              {text: `a "${_HASH}${_BANG}" ${_INSTANCE} ${_PWD} ${_ENV HOME}`, want: "a·#!·a·.·/root"},
		"a value that begins a comment":             {text: "a b${_HASH}c d", want: "a·b", losses: []string{"k.conf:1: #c d"}},
		"a random number":                           {text: "a ${_RANDOM} ${_RANDOM 5 9}", want: "a·0·5", losses: []string{"k.conf:1: ${_RANDOM}", "k.conf:1: ${_RANDOM 5 9}"}},
		"no such variable":                          {text: "a ${_ENV NO}", want: "a", losses: []string{"k.conf:1: ${_ENV NO}"}},
		"a value of keepalived's own is replaced":   {text: "$_HASH=x\na ${_HASH}", want: "a·x"},
		"a sequence":                                {text: "a {\n~SEQ(N, 1, 3) 10.$N .1 x${N}\n}", want: "a{10.1·.1·x1 10.2·.1·x2 10.3·.1·x3}"},
		"a sequence of one number":                  {text: "~SEQ(N,2) a$N\n~SEQ(N,-2) b${N}\n~SEQ(N,0) c${N}", want: "a1 a2 b-1 b-2 c1 c0"},
		"a sequence down, and by steps":             {text: "~SEQ(N,3,2) a${N}\n~SEQ(N,1,2,4) b${N}\n~SEQ(N,9,-4,0) c${N}", want: "a3 a2 b1 b3 c9 c5 c1"},
		"a hexadecimal sequence":                    {text: "~SEQx(N, 0x8, 4, 0x10) fe80::${N}", want: "fe80::8 fe80::c fe80::10"},
		"a sequence up to a value":                  {text: "$M=2\n~SEQ(N,1,${M}) a${N}\n~SEQ(N, $M, 3) b${N}", want: "a1 a2 b2 b3"},
		"sequences in each other":                   {text: "~SEQ(A,1,2) ~SEQ(B,1,2) a${A}b${B}", want: "a1b1 a1b2 a2b1 a2b2"},
		"a list":                                    {text: "~LST(A, x, y ,z) a${A}", want: "ax ay az"},
		"a list of several values":                  {text: "~LST({A, B}, {1,2},{3}, {4,5} ) a${A}.${B}", want: "a1.2 a3. a4.5"},
		"lists and sequences in each other":         {text: "~LST(A,1,2) ~SEQ(B,1,2) a${A}b${B}", want: "a1b1 a1b2 a2b1 a2b2"},
		"a loop over a value of several lines":      {text: "$V=v $N { \\\n w \\\n }\n~SEQ(N,1,2) $V", want: "v·1{w} v·2{w}"},
		"a value that is a loop":                    {text: "$L=~SEQ(N,1,2) a${N}\n$L", want: "a1 a2"},
		"a loop in braces on one line":              {text: "a { ~SEQ(N,1,2) b${N} }", want: "a{b1} b2", losses: []string{"k.conf:1: }"}},
		"loops that cannot be read": {text: "~SEQ(N) a\n~SEQ(1,2) b\n~SEQ(N,x) c\n~SEQ d\n~SEQ(N,1,0,2) e\n~SEQ(N,1,-1,2) f\n~SEQx(N,-1) g\n~SEQ(N,1\n~LST(A) h\n~LST({A},{1,2}) i\n~LST({A,{1}) j\n~LST(A-,1) k\n~SEQ(N,9999999999) l",
			losses: []string{"k.conf:1: ~SEQ(N) a", "k.conf:2: ~SEQ(1,2) b", "k.conf:3: ~SEQ(N,x) c", "k.conf:4: ~SEQ d", "k.conf:5: ~SEQ(N,1,0,2) e", "k.conf:6: ~SEQ(N,1,-1,2) f",
				"k.conf:7: ~SEQx(N,-1) g", "k.conf:8: ~SEQ(N,1", "k.conf:9: ~LST(A) h", "k.conf:10: ~LST({A},{1,2}) i", "k.conf:11: ~LST({A,{1}) j", "k.conf:12: ~LST(A-,1) k", "k.conf:13: ~SEQ(N,9999999999) l"}},
		"a NUL byte": {text: "a\nb\x00c\nd", want: "a d", losses: []string{"k.conf:2: "}},
	} {
		t.Run(name, func(t *testing.T) {
			env := func(name string) (string, bool) { return "/root", name == "HOME" }
			got, losses := parse(t, disk{"k.conf": tt.text}, Options{ID: "a", Env: env})
			if got != tt.want {
				t.Errorf("read %q, want %q", got, tt.want)
			}
			if d := cmp.Diff(tt.losses, losses); d != "" {
				t.Errorf("losses (-want +got):\n%s", d)
			}
		})
	}
}

func TestFilesAreIncluded(t *testing.T) {
	files := disk{
		"d/a.conf": "a\ninclude e/b.conf\nc", "d/e/b.conf": "b ${_PWD}\nincludea ../x.conf", "d/x.conf": "x",
		"d/e/1.inc": "one", "d/e/2.inc": "two {", "d/e/3.inc": "}",
	}
	for name, tt := range map[string]struct {
		text, want string
		losses     []string
	}{
		"relative to the file that includes them":     {text: "include d/a.conf\nlast", want: "a b·d/e x c last"},
		"by a pattern, in order":                      {text: "include d/e/*.inc", want: "one two{}"},
		"by braces":                                   {text: "include d/{e/{2,3},x}.{inc,conf}", want: "two{} x", losses: []string{"k.conf:1: include d/e/2.conf", "k.conf:1: include d/e/3.conf", "k.conf:1: include d/x.inc"}},
		"by every form":                               {text: "include d/x.conf\nincluder d/x.conf\nincludem d/x.conf\nincludew d/x.conf\nincludeb d/x.conf\nincludea d/x.conf", want: "x x x x x x"},
		"what is no include":                          {text: "include\nincludes a\nincludez d/x.conf", want: "include includes·a includez·d/x.conf"},
		"on a condition, by a value and in a block":   {text: "$F=d/x.conf\na {\n@a include ${F}\n@b include $F\n}", want: "a{x}"},
		"a file that is not there":                    {text: "include no.conf\na", want: "a", losses: []string{"k.conf:1: include no.conf"}},
		"a pattern that nothing matches":              {text: "include no/*.conf\na", want: "a", losses: []string{"k.conf:1: include no/*.conf"}},
		"a pattern that cannot be read":               {text: "include d/[\na", want: "a", losses: []string{"k.conf:1: include d/["}},
		"a value that a file gives is there after it": {text: "include d/v.conf\na $V", want: "a·1"},
	} {
		t.Run(name, func(t *testing.T) {
			files["k.conf"], files["d/v.conf"] = tt.text, "$V=1"
			got, losses := parse(t, files, Options{ID: "a"})
			if got != tt.want {
				t.Errorf("read %q, want %q", got, tt.want)
			}
			if d := cmp.Diff(tt.losses, losses); d != "" {
				t.Errorf("losses (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhatNeverEndsIsRefused(t *testing.T) {
	deep := disk{"k.conf": "include 0.conf"}
	for i := range 100 {
		deep[fmt.Sprintf("%d.conf", i)] = fmt.Sprintf("\ninclude %d.conf", i+1)
	}
	for name, tt := range map[string]struct {
		files disk
		at    string
		want  string
	}{
		"a file that includes itself":   {disk{"k.conf": "a\ninclude k.conf"}, "k.conf:2", "includes itself"},
		"files in a circle":             {disk{"k.conf": "include d/a.conf", "d/a.conf": "\n\ninclude ../k.conf"}, "d/a.conf:3", "includes itself"},
		"files too deep in each other":  {deep, "", "deep"},
		"a value that contains itself":  {disk{"k.conf": "$A=x${A}\n$A"}, "k.conf:2", "contains itself"},
		"values that double":            {disk{"k.conf": "$A=${B}${B}\n$B=${A}${A}\n$A"}, "k.conf:3", "contains itself"},
		"lines that contain themselves": {disk{"k.conf": "$A=x \\\n$A \\\ny\n$A"}, "k.conf:2", "contains itself"},
		"a sequence of two billion":     {disk{"k.conf": "a\n~SEQ(N,1,2000000000) a$N"}, "k.conf:2", "2000000000 lines"},
		"sequences that multiply":       {disk{"k.conf": "~SEQ(A,1,1000) ~SEQ(B,1,1000) ~SEQ(C,1,1000) a"}, "k.conf:1", "more than 2000000"},
		"a line of ten megabytes":       {disk{"k.conf": "a\n" + strings.Repeat("x", 10<<20)}, "k.conf:2", "10485760 bytes"},
		"a sequence of long lines":      {disk{"k.conf": "~SEQ(A,1,100000) " + strings.Repeat("x", 60000)}, "k.conf:1", "64 MB"},
		"braces that multiply":          {disk{"k.conf": "include " + strings.Repeat("{a,b}", 30)}, "k.conf:1", "1000 patterns"},
		"blocks without end":            {disk{"k.conf": strings.Repeat("a {\n", 100000)}, "k.conf:65", "deep"},
		"a file of a hundred megabytes": {disk{"k.conf": strings.Repeat("a\n", 50<<20)}, "k.conf:0", "64 MB"},
		"a path of a megabyte":          {disk{"k.conf": "include " + strings.Repeat("{", 60000)}, "k.conf:1", "4096 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, _, err := Parse(tt.files, "k.conf", Options{})
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Text, tt.want) || !strings.HasPrefix(e.Error(), tt.at) {
				t.Errorf("%v, want one at %s that says %q", err, tt.at, tt.want)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestIDsAreThoseOfConditions(t *testing.T) {
	got, err := IDs(disk{"k.conf": "@lvs1 a\n@^lvs2 b\n@lvs1 include x.conf\n@lvs1 $A=@lvs4\n$A c\n", "x.conf": "a { @lvs3 b\n}"}, "k.conf", Options{ID: "here"})
	if d := cmp.Diff([]string{"lvs1", "lvs2", "lvs3", "lvs4"}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	if _, err := IDs(disk{}, "k.conf", Options{}); err == nil {
		t.Error("a missing file has ids")
	}
}
