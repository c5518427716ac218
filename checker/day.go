package checker

import (
	"math"
	"time"
)

// A Day is a day in UTC, by its number since 1970-01-01; zero: none. It is small,
// because there are thousands of certificates that end on one.
type Day uint16

// DayOf returns the day of a time. What is before all days counts as the first one, and
// what is after all, in 2149, as the last one.
func DayOf(t time.Time) Day {
	return Day(min(max(t.Unix()/(24*60*60), 1), math.MaxUint16))
}

// Time returns when a day begins; zero where there is none.
func (d Day) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Unix(int64(d)*24*60*60, 0).UTC()
}
