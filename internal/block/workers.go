package block

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// onAllProcessors calls f with every index below n, in rising order, by one
// worker for each processor, and returns when all calls have. Once the sum of
// what they returned has reached the limit, no further call is begun, so that
// the calls that were made are those of the lowest indexes. It returns how many
// there were.
func onAllProcessors(n, limit int, f func(worker, i int) int) (begun int) {
	var (
		next, sum atomic.Int64
		workers   sync.WaitGroup
	)
	for worker := range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for sum.Load() < int64(limit) {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				sum.Add(int64(f(worker, i)))
			}
		})
	}
	workers.Wait()
	return min(n, int(next.Load()))
}
