package config

import (
	"slices"

	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkTLS = newCheckKind("tls", "The server negotiates TLS, with a certificate that is valid. Nothing else is said.",
	tlsCheckTable, (*tlsCheck).self, func(b *block.Body, c *tlsCheck) probe { return c.asking(b, checker.Handshake{TLS: c.compile()}) })

type tlsCheck struct {
	probe
	tlsOptions
}

var tlsCheckTable = block.NewTable("check", func() []block.Entry[tlsCheck] {
	return slices.Concat(networked(tcpViaTable, (*tlsCheck).self),
		tlsEntries(func(c *tlsCheck) *tlsOptions { return &c.tlsOptions }),
	)
})
