package show

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lvsd/lvsd/internal/api"
)

func TestWhatIsTrueOfSeveralLossesIsSaidOnce(t *testing.T) {
	im := &api.Imported{Losses: []api.ImportLoss{
		{File: "k.conf", Line: 3, Kind: "lost", Text: "mail {", Reason: "there is none", Remedy: "Alert on the log."},
		{File: "k.conf", Line: 4, Kind: "lost", Text: "a@example.org", Reason: "it belongs to mail"},
		{File: "k.conf", Line: 5, Kind: "lost", Text: "b@example.org", Reason: "it belongs to mail"},
		{File: "k.conf", Line: 6, Kind: "note", Text: "c@example.org", Reason: "it belongs to mail"},
		{File: "k.conf", Line: 7, Kind: "note", Text: "debug", Reason: "it belongs to mail", Remedy: "Remove it."},
	}}
	const want = `k.conf:3: lost: mail {
    there is none
    Alert on the log.
k.conf:4: lost: a@example.org
k.conf:5: lost: b@example.org
    it belongs to mail
k.conf:6: note: c@example.org
    it belongs to mail
k.conf:7: note: debug
    it belongs to mail
    Remove it.
3 things lost, 0 done differently, 2 notes
`
	var out strings.Builder
	if err := (Terminal{Width: 80}).WriteLosses(&out, im); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
