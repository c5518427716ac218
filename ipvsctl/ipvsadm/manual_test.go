package ipvsadm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// TestManualKnowsEveryOption holds lvsd-ipvs(8) to the options.
func TestManualKnowsEveryOption(t *testing.T) {
	text, err := os.ReadFile("../../packaging/lvsd-ipvs.8")
	if err != nil {
		t.Fatal(err)
	}
	manual := " " + strings.Join(strings.Fields(string(text)), " ") + " "
	for _, w := range ipvsadm.Words() {
		option, help, found := strings.Cut(w, "\t")
		if option = option[1:]; !strings.Contains(manual, " "+option+" ") || !found || help == "" && option != "l" {
			t.Errorf("lvsd-ipvs(8) does not explain -%s: %s", option, help)
		}
	}
}
