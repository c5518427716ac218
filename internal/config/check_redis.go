package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkRedis = newCheckKind("redis", "The server speaks Redis's protocol (Redis, Valkey, KeyDB) and answers PING. One that still loads its data does not.",
	redisTable, (*redisCheck).self, func(b *block.Body, c *redisCheck) probe { return c.compile(b) })

type redisCheck struct {
	probe
	login login
	role  string
	tls   optionalTLS
}

var redisTable = block.NewTable("check", func() []block.Entry[redisCheck] {
	all := networked(tcpViaTable, (*redisCheck).self)
	all = append(all, loginOptions(func(c *redisCheck) *login { return &c.login })...)
	return append(all,
		block.Choice("role", "What the server must be.", "any",
			[]block.Word[string]{
				{Name: "any", Value: ""},
				{Name: "master", Value: "master", Help: "It takes what is written. After a failover, it is another one."},
				{Name: "replica", Value: "replica", Help: "It copies a master."},
			}, func(c *redisCheck) *string { return &c.role }),
		tlsFromTheStart(func(c *redisCheck) *optionalTLS { return &c.tls }),
	)
})

// compile works out what a check asks.
func (c *redisCheck) compile(b *block.Body) probe {
	return c.asking(b, checker.Redis{Login: c.login.withPassword(b), Role: c.role, TLS: c.tls.compile(b)})
}
