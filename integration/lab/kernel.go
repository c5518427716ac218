package main

import (
	"context"
	"fmt"
	"os"
)

// A kernel is what a job can run on. The lab outside starts it; the lab
// inside, which is its first process, arrives there, furnishes it for the job
// and ends it.
type kernel interface {
	// start starts the kernel and returns when it has ended: with the reason
	// where it ended by itself. The job's exit status is in the folder then.
	start(ctx context.Context, j *job, folder, memory string) error
	// arrive makes the folder visible, and returns where.
	arrive(folder string) (seen string, err error)
	// furnish makes the kernel usable for the job.
	furnish(j *job) error
	// consoles are the paths of the job's console and of the one for its
	// standard error; empty where the job has the lab's own files.
	consoles(j *job) (out, errs string, err error)
	// end ends the kernel. It does not return.
	end()
}

// kernels are all there are, by the name that kernelVariable has.
var kernels = map[string]kernel{"here": here{}, "uml": uml{}, "qemu": qemu{}}

// chooseKernel returns the name of the kernel that was asked for. Where none
// was, that is the one at hand if it has IPVS, and user-mode Linux otherwise.
func chooseKernel(name string) (string, error) {
	if name == "" || name == "auto" {
		name = "uml"
		if hasIPVS() {
			name = "here"
		}
	}
	if kernels[name] == nil {
		return "", fmt.Errorf("-kernel %s: here, uml or qemu", name)
	}
	return name, nil
}

// onOwnKernel reports whether the machine has a kernel of its own: the lab
// outside says so.
func onOwnKernel() bool { return os.Getenv(kernelVariable) != "here" }
