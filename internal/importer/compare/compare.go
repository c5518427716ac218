// Package compare puts what another program makes of its configuration beside what lvsd makes
// of the one that was imported.
//
// Every file uses only files that come before it in this list:
//
//	ours.go     what lvsd makes, in rows
//	compare.go  both beside each other
package compare

import (
	"cmp"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/importer"
)

// A pair are the rows with one key.
type pair struct{ theirs, ours *importer.Row }

// Rows are those of another program and those of lvsd, beside each other: of each kind, in the
// order of their keys.
func Rows(theirs, ours importer.Outline) (all []api.ComparedRow) {
	at := map[[2]string][]*pair{}
	var pairs []*pair
	for i := range theirs {
		p := &pair{theirs: &theirs[i]}
		key := [2]string{string(p.theirs.About), p.theirs.Key}
		at[key], pairs = append(at[key], p), append(pairs, p)
	}
	for i := range ours {
		key := [2]string{string(ours[i].About), ours[i].Key}
		if free := slices.IndexFunc(at[key], func(p *pair) bool { return p.ours == nil }); free >= 0 {
			at[key][free].ours = &ours[i]
		} else {
			p := &pair{ours: &ours[i]}
			at[key], pairs = append(at[key], p), append(pairs, p)
		}
	}
	slices.SortStableFunc(pairs, func(a, b *pair) int {
		x, y := cmp.Or(a.theirs, a.ours), cmp.Or(b.theirs, b.ours)
		return cmp.Or(cmp.Compare(rank(x.About), rank(y.About)), cmp.Compare(x.Key, y.Key))
	})
	for _, p := range pairs {
		all = append(all, p.row())
	}
	return all
}

// rank is the place of what a row is about.
func rank(a importer.Aspect) int {
	return slices.Index([]importer.Aspect{importer.OfTable, importer.OfAddresses, importer.OfChecks}, a)
}

// row tells what both say.
func (p *pair) row() (row api.ComparedRow) {
	for _, side := range []struct {
		of   *importer.Row
		text **string
	}{{p.theirs, &row.Theirs}, {p.ours, &row.Ours}} {
		if side.of != nil {
			text := side.of.String()
			*side.text, row.About, row.Key = &text, string(side.of.About), side.of.Key
		}
	}
	if p.theirs != nil {
		row.File, row.Line = p.theirs.File, p.theirs.Line
	}
	row.Differs = p.theirs == nil || p.ours == nil || !p.theirs.Equal(p.ours)
	return row
}
