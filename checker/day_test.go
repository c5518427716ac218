package checker

import (
	"testing"
	"time"
)

func TestDay(t *testing.T) {
	at := func(year int, month time.Month, day, hour int) time.Time {
		return time.Date(year, month, day, hour, 0, 0, 0, time.UTC)
	}
	tests := []struct {
		name   string
		at     time.Time
		want   Day
		begins time.Time
	}{
		{"the first hour of a day belongs to it", at(2026, 1, 1, 0), 20454, at(2026, 1, 1, 0)},
		{"the last hour does", at(2026, 1, 1, 23), 20454, at(2026, 1, 1, 0)},
		{"the next hour belongs to the next day", at(2026, 1, 2, 0), 20455, at(2026, 1, 2, 0)},
		{"the day is that of UTC", time.Date(2026, 1, 2, 0, 30, 0, 0, time.FixedZone("", 3600)), 20454, at(2026, 1, 1, 0)},
		{"the first day is 1970-01-02", at(1970, 1, 2, 0), 1, at(1970, 1, 2, 0)},
		{"the day before counts as the first", at(1970, 1, 1, 23), 1, at(1970, 1, 2, 0)},
		{"what is long before counts as the first", at(1, 1, 1, 0), 1, at(1970, 1, 2, 0)},
		{"the last day is 2149-06-06", at(2149, 6, 6, 23), 65535, at(2149, 6, 6, 0)},
		{"the day after counts as the last", at(2149, 6, 7, 0), 65535, at(2149, 6, 6, 0)},
		{"what is long after counts as the last", at(9999, 12, 31, 23), 65535, at(2149, 6, 6, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := DayOf(tt.at)
			if got != tt.want {
				t.Errorf("DayOf(%v) = %d, want %d", tt.at, got, tt.want)
			}
			if begins := got.Time(); begins != tt.begins {
				t.Errorf("day %d begins at %v, want %v", got, begins, tt.begins)
			}
		})
	}
	if none := Day(0).Time(); !none.IsZero() {
		t.Errorf("no day begins at %v, want the zero time", none)
	}
}
