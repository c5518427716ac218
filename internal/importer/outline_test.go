package importer

import (
	"testing"
	"time"
)

func TestTimesAreWrittenShortly(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 2500 * time.Millisecond: "2.5s", 20 * time.Second: "20s", 3 * time.Minute: "3m", 200 * time.Second: "3m20s",
		10 * time.Minute: "10m", 24 * time.Hour: "24h", 70 * time.Minute: "1h10m", time.Hour + time.Second: "1h0m1s"} {
		if got := short(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
