package metrics

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/golden"
)

// The manual has every metric with its labels and its help.
func TestManualHasEveryMetric(t *testing.T) {
	const path, begin, end = "../../packaging/lvsd-status.8", ".\\\" begin\n", ".\\\" end\n"
	metrics, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(manual), begin)
	old, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the metrics", path)
	}
	now := manualOf(string(metrics))
	if *golden.Update {
		if err := os.WriteFile(path, []byte(before+begin+now+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(now, old); diff != "" {
		t.Errorf("%s (-metrics +manual); go test -update writes it:\n%s", path, diff)
	}
}

// manualOf returns metrics as items of a list in a manual.
func manualOf(metrics string) string {
	label := regexp.MustCompile(`([a-z_]+)="`)
	lines := strings.Split(metrics, "\n")
	var b strings.Builder
	for i, line := range lines {
		name, help, found := strings.Cut(strings.TrimPrefix(line, "# HELP "), " ")
		if !found || !strings.HasPrefix(line, "# HELP ") {
			continue
		}
		fmt.Fprintf(&b, ".It Li %s", name)
		separator := " No "
		for _, m := range label.FindAllStringSubmatch(lines[i+2], -1) {
			if m[1] != "le" { // that of every histogram
				b.WriteString(separator + m[1])
				separator = " , "
			}
		}
		b.WriteString("\n" + folded(help))
	}
	return b.String()
}

// folded returns a sentence in lines of up to 78 bytes.
func folded(s string) (lines string) {
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && len(line)+1+len(word) > 78 {
			lines, line = lines+line+"\n", ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return lines + line + "\n"
}

// An alert on a metric that does not exist never fires.
func TestDocumentedMetricsExist(t *testing.T) {
	metrics, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\blvsd_[a-z_]+\b`)
	for _, path := range []string{"../../README.md", "../../ARCHITECTURE.md", "../../packaging/lvsd.8", "../../packaging/lvsd-status.8", "../../packaging/lvsd.hcl.5"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := name.FindAllString(string(text), -1)
		for _, n := range found {
			if !strings.Contains(string(metrics), "# TYPE "+n+" ") {
				t.Errorf("%s names the metric %s, which there is not", path, n)
			}
		}
		if path == "../../README.md" && len(found) == 0 {
			t.Errorf("%s names no metric", path)
		}
	}
}
