package config_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/lvsd/lvsd/internal/config"
)

// Each file is valid, and what it says is printed beside it.
func TestValid(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			o := options()
			o.Local, o.Interfaces = nil, nil
			golden(t, path[:len(path)-len("hcl")]+"golden", []byte(print(parse(t, path, o))))
		})
	}
}

// parse reads and parses what must be valid and without doubt.
func parse(t *testing.T, path string, o config.Options) *config.Config {
	t.Helper()
	s, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, diags := config.Parse(s, o)
	if len(diags) > 0 {
		var b bytes.Buffer
		diags.Render(&b, 0, false)
		t.Fatalf("%s for %s:\n%s", path, o.Node, &b)
	}
	return cfg
}

// print writes a configuration in lines that can be compared.
func print(c *config.Config) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "director %+v\nfiles %v\n", c.Director, c.Files)
	for _, r := range c.Routers {
		fmt.Fprintf(&b, "router %+v\n", r)
	}
	for _, s := range c.Services {
		fmt.Fprintf(&b, "service %s at %s: %v %+v\n", s.Name, s.Source, s.Key, s.Service)
		for _, r := range s.Servers {
			fmt.Fprintf(&b, "  server %s %v %+v initially-up=%v\n", r.Name, r.Key, r.Destination, r.InitialUp)
			for _, k := range r.Checks {
				fmt.Fprintf(&b, "    check %v:%d every %v within %v, rise %d, fall %d: %s\n",
					k.Target.Addr, k.Target.Port, k.Target.Interval, k.Target.Timeout, k.Rise, k.Fall, k.Target.Spec)
			}
		}
		if s.Fallback != nil {
			fmt.Fprintf(&b, "  fallback %v %+v\n", s.Fallback.Key, s.Fallback.Destination)
		}
	}
	return b.String()
}
