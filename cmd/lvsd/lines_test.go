package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

func TestALogThatNobodyReadsStopsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLineWriter(w)
		for i := range maxLines + 100 {
			fmt.Fprintf(l, "line %d\n", i)
		}
		synctest.Wait()
		var got bytes.Buffer
		go func() { _, _ = io.Copy(&got, r) }()
		synctest.Wait()
		for _, want := range []string{"line 0\n", "line 4000\n", "lines were dropped"} {
			if !strings.Contains(got.String(), want) {
				t.Errorf("the log, read at last, does not have %q", want)
			}
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		_ = w.Close()
	})
}

func TestClosingALogThatNobodyReadsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		l := newLineWriter(w)
		fmt.Fprintln(l, "never read")
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		_ = r.Close()
	})
}
