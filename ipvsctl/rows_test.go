package ipvsctl_test

import (
	"slices"
	"testing"

	"github.com/lvsd/lvsd/ipvsctl"
)

// FuzzRows compares with a map, edit by edit.
func FuzzRows(f *testing.F) {
	f.Add([]byte{3, 1, 2, 0x83, 4, 4, 0x82, 0x87})
	f.Fuzz(func(t *testing.T, edits []byte) {
		var rows ipvsctl.Rows[int]
		want := map[ipvsctl.DestinationKey]int{}
		var appended []ipvsctl.Row[int]
		for i, edit := range edits {
			k := server(edit & 7)
			if edit&0x80 != 0 {
				rows.Delete(k)
				delete(want, k)
			} else {
				rows.Set(k, i)
				want[k] = i
			}
			if got, found := rows.Get(k); found != (edit&0x80 == 0) || got != want[k] {
				t.Fatalf("%v is %d, %t after the edit %x", k, got, found, edit)
			}
		}
		for k, v := range want { // in any order, and each twice
			appended = append(appended, ipvsctl.Row[int]{Key: k, Value: v}, ipvsctl.Row[int]{Key: k, Value: v})
		}
		if got := ipvsctl.RowsOf(appended); len(rows) != len(want) || !slices.Equal(got, rows) {
			t.Fatalf("%v of %v, want %v", got, want, rows)
		}
	})
}

// Of 40,000 servers the room that appending has left would be as large as they are.
func TestRowsKeepNoRoomForMore(t *testing.T) {
	rows := make([]ipvsctl.Row[int], 3, 100)
	for i := range rows {
		rows[i].Key = server(byte(i))
	}
	if got := ipvsctl.RowsOf(rows); len(got) != 3 || cap(got) > 10 {
		t.Errorf("%d rows with room for %d", len(got), cap(got))
	}
}
