package processor

import (
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAMachineHasOneProcessorAndItsChildrenToo(t *testing.T) {
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := exec.Command("sh", "-c", "nproc; nproc")
	c.Stdout = &out
	release, err := StartOnOne(c.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := c.Wait(); err != nil || out.String() != "1\n1\n" {
		t.Errorf("nproc in it says %q, %v", out.String(), err)
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != before {
		t.Errorf("we have %v afterwards, %v; want %v", after, err, before)
	}
}

func TestMachinesSideBySideHaveDifferentProcessors(t *testing.T) {
	imagined := []int{1001, 1003}
	first, release := choose(imagined)
	second, end := choose(imagined)
	defer end()
	if first != 1001 || second != 1003 {
		t.Errorf("they have %d and %d, want 1001 and 1003", first, second)
	}
	if third, end := choose(imagined); third != 1001 && third != 1003 {
		t.Errorf("a third one has %d, want to share one of %v", third, imagined)
	} else {
		end()
	}
	release()
	again, end := choose(imagined)
	defer end()
	if again != 1001 {
		t.Errorf("the next one has %d, want 1001, which was given back", again)
	}
}
