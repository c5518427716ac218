package metrics

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// An alert on a metric that does not exist never fires.
func TestDocumentedMetricsExist(t *testing.T) {
	metrics, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\blvsd_[a-z_]+\b`)
	for _, path := range []string{"../../README.md", "../../ARCHITECTURE.md", "../../packaging/lvsd.8", "../../packaging/lvsd.hcl.5"} {
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
