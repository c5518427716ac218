package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/checker/probe"
)

// The director whose checks are measured lacked an edge that directors had been given,
// and nobody noticed before the next measurement.
func TestPacedDirectorHasAllItsEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // some heartbeats
		defer cancel()
		d := newPaced(checker.New(probe.New(nil), checker.DefaultInFlight), pacedConfig(0, time.Second))
		if err := d.Run(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
