package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A debianKernel is the folder that a package of Debian's kernel was unpacked
// to.
type debianKernel struct{ folder string }

// kernelPackage depends on the package that has the kernel itself.
const kernelPackage = "linux-image-amd64"

// findKernel returns the newest kernel of the user's cache, and fetches one
// where there is none.
func findKernel(ctx context.Context) (k debianKernel, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return k, fmt.Errorf("finding a folder to keep Debian's kernel in: %w", err)
	}
	cache = filepath.Join(cache, "lvsd-lab")
	found, _ := filepath.Glob(filepath.Join(cache, "linux-image-*"))
	if len(found) > 0 {
		slices.Sort(found)
		return debianKernel{found[len(found)-1]}, nil
	}
	if k.folder, err = fetchKernel(ctx, cache); err != nil {
		return k, fmt.Errorf("fetching Debian's kernel: %w", err)
	}
	return k, nil
}

// fetchKernel downloads the kernel's package, unpacks it below the cache, and
// returns where. Nothing is installed.
func fetchKernel(ctx context.Context, cache string) (folder string, err error) {
	for _, program := range []string{"apt-get", "apt-cache", "dpkg", "depmod"} {
		if _, err := exec.LookPath(program); err != nil {
			return "", fmt.Errorf("it needs Debian (amd64) with apt, dpkg and kmod: %w", err)
		}
	}
	name, err := resolvePackage(ctx)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "lab: downloading %s, and unpacking it below %s (400 MB)\n", name, cache)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "unpacking-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if _, err := output(ctx, work, "apt-get", "-qq", "download", name); err != nil {
		return "", err
	}
	files, _ := filepath.Glob(filepath.Join(work, "*.deb"))
	if len(files) != 1 {
		return "", fmt.Errorf("apt-get downloaded %q", files)
	}
	k := debianKernel{filepath.Join(work, "kernel")}
	if _, err := output(ctx, work, "dpkg", "-x", files[0], k.folder); err != nil {
		return "", err
	}
	if _, err := output(ctx, work, "depmod", "-b", k.folder, k.release()); err != nil {
		return "", err
	}
	folder = filepath.Join(cache, name)
	// Another lab may have been faster.
	if err := os.Rename(k.folder, folder); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return folder, nil
}

// resolvePackage returns the package that has the kernel. Where apt knows none
// its lists are brought up to date, which needs root.
func resolvePackage(ctx context.Context) (name string, err error) {
	for range 2 {
		text, _ := output(ctx, "", "apt-cache", "show", "--no-all-versions", kernelPackage)
		for line := range strings.Lines(text) {
			if depends, ok := strings.CutPrefix(line, "Depends: "); ok {
				return strings.TrimRight(strings.Fields(depends)[0], ","), nil
			}
		}
		if _, err = output(ctx, "", "apt-get", "-qq", "update"); err != nil {
			break
		}
	}
	return "", errors.Join(fmt.Errorf("apt knows no %s", kernelPackage), err)
}

// output runs a command in a folder and returns what it printed.
func output(ctx context.Context, folder string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir = folder
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(errs.Bytes()))
	}
	return out.String(), nil
}

// release is the kernel's version, as "uname -r" says it.
func (k debianKernel) release() string {
	found, _ := filepath.Glob(filepath.Join(k.modules(), "*"))
	if len(found) == 0 {
		return ""
	}
	return filepath.Base(found[0])
}

func (k debianKernel) image() string   { return filepath.Join(k.folder, "boot", "vmlinuz-"+k.release()) }
func (k debianKernel) modules() string { return filepath.Join(k.folder, "lib", "modules") }

// moduleFiles lists the files of the modules of those names and of all that
// they need, in the order in which they can be loaded.
func (k debianKernel) moduleFiles(names ...string) (files []string, err error) {
	folder := filepath.Join(k.modules(), k.release())
	text, err := os.ReadFile(filepath.Join(folder, "modules.dep"))
	if err != nil {
		return nil, err
	}
	needs := map[string][]string{} // by name: its own file, and those that it needs, the deepest last
	for line := range strings.Lines(string(text)) {
		file, others, _ := strings.Cut(line, ":")
		name, _, _ := strings.Cut(filepath.Base(file), ".")
		needs[name] = append([]string{file}, strings.Fields(others)...)
	}
	for _, name := range names {
		if needs[name] == nil {
			return nil, fmt.Errorf("%s has no module %s", k.folder, name)
		}
		for _, file := range slices.Backward(needs[name]) {
			if path := filepath.Join(folder, file); !slices.Contains(files, path) {
				files = append(files, path)
			}
		}
	}
	return files, nil
}
