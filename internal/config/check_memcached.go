package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkMemcached = newCheckKind("memcached", "The server tells its version by memcached's text protocol. A login is for one that wants it in that protocol (-Y).",
	memcachedTable, (*memcachedCheck).self, func(b *block.Body, c *memcachedCheck) probe { return c.compile(b) })

type memcachedCheck struct {
	probe
	login login
	tls   optionalTLS
}

var memcachedTable = block.NewTable("check", func() []block.Entry[memcachedCheck] {
	all := networked(tcpViaTable, (*memcachedCheck).self)
	all = append(all, loginOptions(func(c *memcachedCheck) *login { return &c.login })...)
	return append(all, tlsFromTheStart(func(c *memcachedCheck) *optionalTLS { return &c.tls }))
})

// compile works out what a check asks.
func (c *memcachedCheck) compile(b *block.Body) probe {
	return c.asking(b, checker.Memcached{Login: c.login.withBoth(b), TLS: c.tls.compile(b)})
}
