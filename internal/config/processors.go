package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Processors are numbers of processors in the kernel's form, "0-3,6" (cpuset(7)).
type Processors string

// maxProcessor bounds them, as the kernel does (CPU_SETSIZE of sched.h).
const maxProcessor = 1023

// List returns them one by one, ascending, and an error for what is no such text.
func (p Processors) List() ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(string(p), ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			to = from
		}
		first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
		last, err2 := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
		if err != nil || err2 != nil || last < first || last > maxProcessor {
			return nil, fmt.Errorf("%q is not the number of a processor, nor a range of them", part)
		}
		for n := first; n <= last; n++ {
			all = append(all, int(n))
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// absentFrom returns the first processor that a machine does not have.
func (p Processors) absentFrom(machine Processors) (absent int, found bool) {
	has, err := machine.List()
	wanted, _ := p.List()
	i := slices.IndexFunc(wanted, func(n int) bool { return !slices.Contains(has, n) })
	if err != nil || i < 0 {
		return 0, false
	}
	return wanted[i], true
}
