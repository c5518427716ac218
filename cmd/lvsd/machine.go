package main

import (
	"fmt"
	"os"

	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/machine"
)

// parseOptions returns what a configuration is read with on this machine, as
// the director named node, or as the host's own name where node is empty.
// Interfaces are left out: the daemon gives none.
func parseOptions(node string) (config.Options, machine.Facts, error) {
	if node == "" {
		name, err := machine.NodeName()
		if err != nil {
			return config.Options{}, machine.Facts{}, fmt.Errorf("%w: give --node", err)
		}
		node = name
	}
	facts, err := machine.Read()
	return config.Options{Node: node, Env: os.LookupEnv, Local: facts.Addresses}, facts, err
}
