package probe

import (
	"context"
	"fmt"

	"github.com/lvsd/lvsd/checker"
)

func init() { register(checker.NNTP{}, compileNNTP) }

// compileNNTP returns the run that passes when a news server answers.
func compileNNTP(p *Prober, o checker.NNTP) (run, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return newChannel(p.authorities, o.Channel, "QUIT").letting(newLogin(p.passwords, o.Login), func(ctx context.Context, d *dialogue, l login) error {
		return talkNNTP(ctx, d, l, o.Group)
	}), nil
}

// talkNNTP leads a conversation by RFC 3977, with STARTTLS (RFC 4642) and a login (RFC
// 4643) where they are wanted.
func talkNNTP(ctx context.Context, d *dialogue, l login, group string) error {
	if _, err := d.expect(200, 201); err != nil {
		return err
	}
	if err := d.begin(ctx, "STARTTLS", 382); err != nil {
		return err
	}
	if err := d.enter(ctx, l, entrance{user: "AUTHINFO USER", password: "AUTHINFO PASS", more: 381, in: 281}); err != nil {
		return err
	}
	var err error
	if group != "" {
		_, err = d.ask("GROUP", "GROUP "+group, 211)
	} else {
		_, err = d.ask("DATE", "DATE", 111)
	}
	return err
}

// An entrance is how a user is let in by commands that codes answer.
type entrance struct {
	user, password string
	more, in       int    // the codes that want a password, and that let the user in
	otherwise      string // is said for a password where there is none
}

// enter logs a user in, if there is one.
func (d *dialogue) enter(ctx context.Context, l login, by entrance) error {
	if l.user == "" {
		return nil
	}
	password, err := l.password(ctx)
	if err != nil {
		return err
	}
	if password == "" {
		password = by.otherwise
	} else {
		d.secrets = []string{password}
	}
	r, err := d.answer(by.user, by.user+" "+l.user)
	if err == nil && r.code == by.more {
		r, err = d.answer(by.password, by.password+" "+password)
	}
	if err == nil && r.code != by.in {
		err = because(checker.LoginRefused, fmt.Errorf("the server does not let user %q in: %s", l.user, d.quote(r.String())))
	}
	return err
}

// answer says a line, and reads a reply of any code.
func (d *dialogue) answer(name, line string) (coded, error) {
	if err := d.say(name, line); err != nil {
		return coded{}, err
	}
	return d.reply()
}
