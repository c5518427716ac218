package probe

import (
	"context"
	"fmt"
	"strings"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.POP3{}, compilePOP3) }

// compilePOP3 returns the run that passes when a server greets by POP3, and lets a user
// in if there is one.
func compilePOP3(p *Prober, o checker.POP3) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return newChannel(p.authorities, o.Channel, "QUIT").letting(newLogin(p.passwords, o.Login), talkPOP3), nil
}

// talkPOP3 leads a conversation by RFC 1939, up to where mail would be read.
func talkPOP3(ctx context.Context, d *dialogue, l login) error {
	if err := d.positive(func(answer string) error {
		return because(checker.WrongStatus, fmt.Errorf("the server greets by %s, want +OK", d.quote(answer)))
	}); err != nil {
		return err
	}
	if d.startTLS {
		err := d.say("STLS", "STLS") // RFC 2595, section 4
		if err == nil {
			err = d.positive(d.stripped)
		}
		if err == nil {
			err = d.upgrade(ctx)
		}
		if err != nil {
			return err
		}
	}
	if l.user == "" {
		return nil
	}
	password, err := l.password(ctx)
	if err != nil {
		return err
	}
	d.secrets = []string{password}
	for _, said := range [][2]string{{"USER", l.user}, {"PASS", password}} {
		err := d.say(said[0], said[0]+" "+said[1])
		if err == nil {
			err = d.positive(func(answer string) error {
				return because(checker.LoginRefused, fmt.Errorf("the server does not let user %q in: %s", l.user, d.quote(answer)))
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// positive reads an answer of one line. Where that is not +OK, it returns what refused
// makes of it.
func (d *dialogue) positive(refused func(answer string) error) error {
	line, err := d.line()
	if err != nil {
		return err
	}
	switch word, _, _ := strings.Cut(line, " "); word {
	case "+OK":
		return nil
	case "-ERR":
		return refused(line)
	}
	return fmt.Errorf("%s came while %s, and that is no answer of POP3", d.quote(line), d.stage)
}
