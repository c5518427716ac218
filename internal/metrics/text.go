package metrics

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/text"
)

// A scrape is the values of one answer, by family. It is written in Prometheus'
// text format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/).
type scrape map[family][]sample

// A sample is one value. Its name is the family's with a suffix, which only the
// parts of a histogram or a summary have.
type sample struct {
	suffix string
	labels labels
	value  float64
}

// labels are labels as they are written: `{server="node-1",service="web"}`. The
// samples of one real server share them.
type labels string

const none labels = ""

// escape is what must be escaped in the value of a label.
var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// label makes labels of alternating names and values, in the order of the names.
func label(nameValue ...string) labels {
	var b strings.Builder
	if len(nameValue) == 0 {
		return ""
	}
	for i := 0; i < len(nameValue); i += 2 {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(nameValue[i])
		b.WriteString(`="`)
		_, _ = escape.WriteString(&b, text.Printable(nameValue[i+1]))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return labels(b.String())
}

// number adds a value.
func (s scrape) number(f family, v float64, l labels) { s.part(f, "", v, l) }

// part adds a value of a histogram or a summary.
func (s scrape) part(f family, suffix string, v float64, l labels) {
	s[f] = append(s[f], sample{suffix, l, v})
}

// write writes all families by name, each with its samples in the order of their
// labels; parts of a histogram stay in that of its buckets. Of several samples
// with the same labels only the first is written: names that text.Printable has
// changed may have become equal.
func (s scrape) write(w *bufio.Writer) {
	names := slices.SortedFunc(maps.Keys(s), func(a, b family) int { return cmp.Compare(a.name, b.name) })
	for _, f := range names {
		samples := s[f]
		if samples[0].suffix == "" {
			slices.SortStableFunc(samples, func(a, b sample) int { return cmp.Compare(a.labels, b.labels) })
			samples = slices.CompactFunc(samples, func(a, b sample) bool { return a.labels == b.labels })
		}
		_, _ = w.WriteString("# HELP " + f.name + " " + f.help + "\n# TYPE " + f.name + " " + f.kind + "\n")
		for i := range samples {
			samples[i].write(w, f.name)
		}
	}
}

func (s *sample) write(w *bufio.Writer, name string) {
	_, _ = w.WriteString(name)
	_, _ = w.WriteString(s.suffix)
	_, _ = w.WriteString(string(s.labels))
	_ = w.WriteByte(' ')
	_, _ = w.Write(strconv.AppendFloat(w.AvailableBuffer(), s.value, 'g', -1, 64))
	_ = w.WriteByte('\n')
}

// answer sends the scrape, compressed if the scraper asks for that. An error
// means that the scraper is gone, and there is nobody to tell.
func (s scrape) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	var out io.Writer = w
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		// Ten thousand servers are 9 MB, for which the default level takes 0.2 s.
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		defer z.Close()
		out = z
	}
	b := bufio.NewWriter(out)
	s.write(b)
	_ = b.Flush()
}
