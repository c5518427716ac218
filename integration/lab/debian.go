package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A debianKernel is the folder that a package of Debian's kernel was unpacked
// to.
type debianKernel struct{ folder string }

// findKernel returns the newest kernel below the user's cache folder, where
// integration/packages unpacks one.
func findKernel() (k debianKernel, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return k, fmt.Errorf("finding Debian's kernel: %w", err)
	}
	cache = filepath.Join(cache, "lvsd-lab")
	found, _ := filepath.Glob(filepath.Join(cache, "linux-image-*"))
	if len(found) == 0 {
		return k, fmt.Errorf("there is no kernel of Debian's in %s: integration/packages test puts one there", cache)
	}
	slices.Sort(found)
	return debianKernel{found[len(found)-1]}, nil
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
