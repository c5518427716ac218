package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
)

// A tableSum is enough of an IPVS table to know when it is full.
type tableSum struct{ services, servers, weights int }

// sumTable reads /proc/net/ip_vs of the host, which costs a tenth of listing
// the table by netlink.
func sumTable(h *cluster.Host) (s tableSum, err error) {
	err = h.In(func() error {
		f, err := os.Open("/proc/thread-self/net/ip_vs")
		if err != nil {
			return err
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		s, err = parseSum(text)
		return err
	})
	if err != nil {
		return s, fmt.Errorf("reading the IPVS table of %s: %w", h.Name, err)
	}
	return s, nil
}

// parseSum adds up the rows of /proc/net/ip_vs:
//
//	TCP  0A140001:0050 wrr
//	  -> AC100001:0050      Masq    1      0          0
func parseSum(text []byte) (s tableSum, err error) {
	for line := range bytes.Lines(text) {
		switch fields := bytes.Fields(line); {
		case len(fields) < 3 || bytes.Equal(fields[0], []byte("Prot")) || bytes.Equal(fields[1], []byte("RemoteAddress:Port")):
		case bytes.Equal(fields[0], []byte("->")):
			weight, err := strconv.Atoi(string(fields[3]))
			if err != nil {
				return s, fmt.Errorf("the weight in %q: %w", line, err)
			}
			s.servers++
			s.weights += weight
		case bytes.Equal(fields[0], []byte("TCP")):
			s.services++
		}
	}
	return s, nil
}

// waitTable waits until the host's table is the fleet's, and returns how long
// it took since begin. Four fifths of the time it leaves the processor alone.
func waitTable(ctx context.Context, h *cluster.Host, f fleet, begin time.Time) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	want := f.sum()
	for {
		look := time.Now()
		got, err := sumTable(h)
		if err != nil {
			return 0, err
		}
		if got == want {
			return time.Since(begin), nil
		}
		if err := pause(ctx, max(4*time.Since(look), time.Millisecond)); err != nil {
			return 0, fmt.Errorf("waiting for the table to be %+v; it is %+v: %w", want, got, err)
		}
	}
}

// equalTable compares the host's table, as ipvsadm reads it, with the fleet.
func equalTable(ctx context.Context, h *cluster.Host, f fleet) error {
	got, err := cluster.Table(ctx, h)
	if err != nil {
		return err
	}
	slices.Sort(got)
	want := f.rows()
	if slices.Equal(got, want) {
		return nil
	}
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	return errors.New("the table is not what was configured: ipvsadm has " +
		strings.Join(got[i:min(i+1, len(got))], "") + ", want " + strings.Join(want[i:min(i+1, len(want))], ""))
}
