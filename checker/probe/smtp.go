package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.SMTP{}, compileSMTP) }

// compileSMTP returns the run that passes when a mail server greets.
func compileSMTP(p *Prober, o checker.SMTP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o.Code = cmp.Or(o.Code, 220)
	c := newChannel(p.authorities, o.Channel, "QUIT")
	return func(ctx context.Context, t checker.Target) (found, error) {
		return c.converse(ctx, t, func(ctx context.Context, d *dialogue) error { return talkSMTP(ctx, d, o) })
	}, nil
}

// talkSMTP leads a conversation by RFC 5321, up to where a mail would begin.
func talkSMTP(ctx context.Context, d *dialogue, o checker.SMTP) error {
	if _, err := d.expect(o.Code); err != nil || o.Code != 220 {
		return err // Who refuses all mail waits for QUIT (section 3.1).
	}
	name := o.Name
	if name == "" {
		name = d.plain.literal()
	}
	offers, err := greetSMTP(d, name)
	if err != nil || !d.startTLS {
		return err
	}
	if !offers {
		return d.stripped("the answer to EHLO does not have it")
	}
	if err = d.begin(ctx, "STARTTLS", 220); err == nil {
		_, err = greetSMTP(d, name)
	}
	return err
}

// greetSMTP says who asks, in the way of old servers where that is refused. It reports
// whether the server offers STARTTLS.
func greetSMTP(d *dialogue, name string) (startTLS bool, err error) {
	if err := d.say("EHLO", "EHLO "+name); err != nil {
		return false, err
	}
	r, err := d.reply()
	switch {
	case err != nil:
		return false, err
	case r.code == 500 || r.code == 502 || r.code == 504:
		_, err = d.ask("HELO", "HELO "+name, 250)
		return false, err
	case r.code != 250:
		return false, d.unwanted(r, 250)
	}
	return slices.ContainsFunc(r.lines[1:], func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return strings.EqualFold(word, "STARTTLS")
	}), nil
}

// literal returns this side's address as mail servers are told it (RFC 5321, section
// 4.1.3).
func (c *conn) literal() string {
	addr := c.local().Addr()
	if addr.Is6() {
		return fmt.Sprintf("[IPv6:%v]", addr.WithZone(""))
	}
	return fmt.Sprintf("[%v]", addr)
}
