package keepalived

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// authentication makes a block authentication of what stands in the blocks authentication
// and auth_hmac.
func (i *instance) authentication() {
	if s := i.last("auth_hmac"); s != nil {
		i.keys(s)
	}
	s := i.last("authentication")
	switch {
	case s != nil && slices.ContainsFunc(i.b.Items, func(it importer.Item) bool { b, is := it.(*importer.Block); return is && b.Kind == "authentication" }):
		i.note(s, "with auth_hmac, there is no password")
		i.drop(importer.Note, s)
	case s != nil:
		i.extra(s, 1)
		i.password(s)
	}
}

// password reads a block authentication: auth_type and auth_pass.
func (i *instance) password(s *Statement) {
	c := i.walk.section(s.Block)
	kind, pass := c.last("auth_type"), c.last("auth_pass")
	switch {
	case kind == nil || pass == nil || len(pass.Words) < 2:
		i.secretly(importer.Note, "keepalived needs both auth_type and auth_pass, and passes over one without the other", "", s, kind, pass)
	case kind.Arg(1) == "AH":
		_, reason, remedy := i.fate("AH")
		i.secretly(importer.Lost, reason, remedy, s, kind, pass)
	case kind.Arg(1) != "PASS":
		i.secretly(importer.Note, "keepalived has the types PASS and AH only, and passes over this one", "", s, kind, pass)
	case i.version != 2:
		i.secretly(importer.Note, "version 3 of VRRP has no passwords, and keepalived passes over them", "", s, kind, pass)
	default:
		text := pass.Words[1]
		file := i.Secret(i.name, "password", text[:min(len(text), 8)])
		b := i.b.Block("authentication").Of(places(s, kind)...).Note(comments(s)...)
		remarks(b, b.Set("password", importer.Expr(`trimspace(file(`+strconv.Quote(path.Base(file))+`))`), pass.Place), pass)
		if len(text) > 8 {
			i.loseText(importer.Note, pass, "auth_pass "+hidden, "keepalived sends the first 8 bytes only, and so does lvsd", "")
		}
	}
	c.rest()
	c.leftover(i.b)
}

// secretly notes statements without what stands in them.
func (i *instance) secretly(kind importer.Kind, reason, remedy string, list ...*Statement) {
	for _, s := range list {
		if s == nil {
			continue
		}
		text := s.Raw
		if s.Is("auth_pass", "key") && len(s.Words) > 1 {
			text = s.Words[0] + " " + hidden
		}
		i.loseText(kind, s, text, reason, remedy)
		remedy = ""
	}
}

// keys reads a block auth_hmac.
func (i *instance) keys(s *Statement) {
	c := i.walk.section(s.Block)
	b := importer.NewBlock("authentication").Of(s.Place).Note(comments(s)...)
	var ids []string
	for _, k := range c.take("key") {
		if i.key(b, k, ids) {
			ids = append(ids, k.Words[1])
		}
	}
	if len(ids) == 0 {
		i.lose(importer.Note, s, "it has no key that can be read, and keepalived passes over it", "")
		i.drop(importer.Note, s)
		return
	}
	i.b.Items = append(i.b.Items, b)
	i.signer(c, b, ids)
	if m := c.last("mode"); m != nil && m.Arg(1) != "" && strings.Contains(" enforce permissive receive-only ", " "+m.Arg(1)+" ") {
		b.Set("mode", importer.String(m.Arg(1)), m.Place)
	} else if m != nil {
		i.lose(importer.Lost, m, "enforce, permissive or receive-only was expected", "")
	}
	i.replay(c, b)
	c.rest()
	c.leftover(b)
}

// signer sets the key that adverts are signed with: the first one, where nothing is said.
func (i *instance) signer(c *section, b *importer.Block, ids []string) {
	a := c.last("active_key")
	if a != nil && slices.Contains(ids, a.Arg(1)) {
		b.Set("signer", importer.Expr(a.Arg(1)), a.Place)
		return
	}
	if a != nil {
		i.lose(importer.Lost, a, "there is no key of that id", "Write signer with the id of the key that this director signs with; it is "+ids[0]+" here.")
	}
	if len(ids) > 1 {
		b.Set("signer", importer.Expr(ids[0]), places(a)...)
	}
}

// replay sets how an advert is recognized that is sent again.
func (i *instance) replay(c *section, b *importer.Block) {
	s := c.last("anti_replay")
	ordered := s != nil && s.Arg(1) == "monotonic"
	switch {
	case ordered:
		b.Set("replay", importer.String("order"), s.Place)
	case s != nil:
		b.Set("replay", importer.String("time"), s.Place)
	}
	if t := c.last("time_window"); t != nil {
		if n, ok := c.whole(t, 1, 1, 300); ok && !ordered {
			b.Set("window", importer.Duration(time.Duration(n)*time.Second), t.Place)
		} else if ok {
			c.note(t, "with anti_replay monotonic, the time does not count")
		}
	}
}

// key reads the line of a key: its id, and its text or a file that has it.
func (i *instance) key(b *importer.Block, s *Statement, ids []string) bool {
	n, err := strconv.Atoi(s.Arg(1))
	if err != nil || n < 1 || n > 255 || len(s.Words) < 3 || slices.Contains(ids, s.Words[1]) {
		i.secretly(importer.Lost, "a new id from 1 to 255 and a key were expected, and keepalived does not take this either", "", s)
		return false
	}
	file, is := strings.CutPrefix(s.Words[2], "file:")
	switch {
	case !is:
		file = i.Secret(i.name, "key"+s.Words[1], s.Words[2])
	case !path.IsAbs(file):
		i.loseText(importer.Differs, s, "key "+s.Words[1]+" file:"+file, "the path of a key file is absolute", "Write the whole path in the key block.")
		file = path.Join("/etc/keepalived", file)
	default:
		i.loseText(importer.Note, s, "key "+s.Words[1]+" file:"+file, "the file stays where it is, and lvsd reads it only if nobody but root and lvsd can", "chown root:lvsd "+file+"; chmod 0640 "+file)
	}
	k := b.Block("key", s.Words[1]).Of(s.Place).Note(comments(s)...)
	k.Set("file", importer.String(file), s.Place)
	return true
}
