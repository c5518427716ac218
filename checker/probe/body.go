package probe

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/lvsd/lvsd/checker"
)

// A bodyCheck is what the body of an answer must be, made ready to be looked for. What
// it reads is not kept.
type bodyCheck struct {
	// want and not are looked for in the first checker.BodyLimit bytes; nil: nothing.
	want, not *pattern
	// words are what is wanted, and unwanted what is not, as the configuration has it.
	words, unwanted string
	// newHash makes what sum is a digest by; nil: any body will do.
	newHash  func() hash.Hash
	sum      []byte
	min, max int // in bytes; 0: no bound
}

// compileBody makes ready what a body must be; nil: anything.
func compileBody(o checker.HTTP) (*bodyCheck, error) {
	c := &bodyCheck{words: o.Body, unwanted: o.Not, min: o.MinBytes, max: o.MaxBytes}
	var err error
	switch {
	case len(o.Text) > 0:
		c.words, c.want = string(o.Text), &pattern{plain: o.Text}
	case o.Body != "":
		c.want, err = newPattern(o.Body)
	}
	if err == nil && o.Not != "" {
		c.not, err = newPattern(o.Not)
	}
	if err == nil && o.Digest != "" {
		c.newHash, c.sum, err = newHash(o.Digest)
	}
	if c.want == nil && c.not == nil && !c.whole() {
		return nil, err
	}
	return c, err
}

// newHash returns what makes digests like one, and the bytes of that.
func newHash(d checker.Digest) (func() hash.Hash, []byte, error) {
	algorithm, sum, err := d.Split()
	if algorithm == "md5" {
		return md5.New, sum, err
	}
	return sha256.New, sum, err
}

// whole reports whether all of the body must be read.
func (c *bodyCheck) whole() bool { return c.newHash != nil || c.min > 0 || c.max > 0 }

// judge reads a body as far as it matters, and returns what is wrong with it.
func (c *bodyCheck) judge(body io.Reader) error {
	if c == nil {
		return nil
	}
	limit := int64(checker.SizeLimit) + 1
	if c.max > 0 {
		limit = int64(c.max) + 1
	}
	if c.newHash == nil && c.max == 0 {
		limit = max(int64(c.min), checker.BodyLimit)
	}
	all := &recorder{r: io.LimitReader(body, limit)}
	var reader io.Reader = all
	var sum hash.Hash
	if c.newHash != nil {
		sum = c.newHash()
		reader = io.TeeReader(all, sum)
	}
	if err := c.find(all, reader); err != nil {
		return err
	}
	if !c.whole() {
		return nil
	}
	io.Copy(io.Discard, reader)
	return c.measure(all, sum)
}

// find looks for what must come and for what must not.
func (c *bodyCheck) find(all *recorder, reader io.Reader) error {
	text := &recorder{r: io.LimitReader(reader, checker.BodyLimit)}
	var beside *onlooker
	if c.not != nil {
		beside = newOnlooker(c.not)
		text.r = io.TeeReader(text.r, beside)
	}
	found := c.want == nil || c.want.find(text)
	if beside != nil {
		io.Copy(io.Discard, text)
		if beside.found(text.err) {
			return fmt.Errorf("the body has what must not come: it matches %.40q", c.unwanted)
		}
	}
	switch {
	case all.err != nil && (!found || beside != nil):
		return broken(all)
	case !found:
		return fmt.Errorf("the body (%d bytes read) does not match %.40q", text.n, c.words)
	}
	return nil
}

// measure judges the size and the digest of a body that has been read.
func (c *bodyCheck) measure(all *recorder, sum hash.Hash) error {
	switch {
	case c.max > 0 && all.n > c.max:
		return fmt.Errorf("the body has more than %d bytes", c.max)
	case all.n > checker.SizeLimit:
		return fmt.Errorf("the body has more than %d bytes, which is all that is read of one", checker.SizeLimit)
	case all.err != nil:
		return broken(all)
	case all.n < c.min:
		return fmt.Errorf("the body has %d bytes, want %d at least", all.n, c.min)
	case sum != nil && !bytes.Equal(sum.Sum(nil), c.sum):
		return fmt.Errorf("the body (%d bytes) has the digest %x, want %x", all.n, sum.Sum(nil), c.sum)
	}
	return nil
}

// broken says how a body ended too early.
func broken(all *recorder) error {
	switch {
	case isNetError(all.err):
		return while("reading the body", all.err)
	case errors.Is(all.err, errTooLong):
		return fmt.Errorf("the body is too long: %w", all.err)
	default:
		return fmt.Errorf("the body is malformed after %d bytes: %w", all.n, all.err)
	}
}

// An onlooker looks for a pattern in what somebody else reads. An expression reads by
// itself, so it has a goroutine, which ends with found.
type onlooker struct {
	*io.PipeWriter
	result chan bool
}

func newOnlooker(p *pattern) *onlooker {
	r, w := io.Pipe()
	o := &onlooker{w, make(chan bool, 1)}
	go func() {
		o.result <- p.find(&recorder{r: r})
		r.Close()
	}()
	return o
}

// Write gives the onlooker more of the text. One that has found what it looks for does
// not read on, which is no error of the writer's.
func (o *onlooker) Write(text []byte) (int, error) {
	o.PipeWriter.Write(text)
	return len(text), nil
}

// found ends the text, by an error if it did not end properly, and reports whether the
// pattern came.
func (o *onlooker) found(err error) bool {
	o.CloseWithError(err)
	return <-o.result
}
