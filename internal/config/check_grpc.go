package config

import (
	"github.com/lvsd/lvsd/checker"
	"github.com/lvsd/lvsd/internal/block"
)

var checkGRPC = newCheckKind("grpc", "The server reports that it is serving, by gRPC's protocol for that, grpc.health.v1. It is spoken by HTTP/2, without TLS unless there is a tls block.",
	grpcTable, (*grpcCheck).self, func(b *block.Body, c *grpcCheck) probe { return c.compile(b) })

type grpcCheck struct {
	probe
	asks   checker.GRPC
	secure bool // there is a tls block, here or in the defaults
	tls    tlsOptions
}

var grpcTable = block.NewTable("check", func() []block.Entry[grpcCheck] {
	return append(networked(tcpViaTable, (*grpcCheck).self),
		validText("service", "The service whose health is asked for, as its definition has it: \"orders.v1.Orders\".", "",
			func(s string) error { return checker.GRPC{Service: s}.Validate() }, func(c *grpcCheck) *string { return &c.asks.Service }).Unless("none; the server as a whole"),
		validText("host", "Whom the request is for (:authority), and whose name the certificate must have.", "",
			func(s string) error { return checker.GRPC{Host: s}.Validate() }, func(c *grpcCheck) *string { return &c.asks.Host }).Unless("the server's address and port"),
		block.Inner("tls", "Speak TLS, and verify the server's certificate, which must be valid for the host or, if that is not set, for the server's address. It can be empty.",
			tlsTable, func(c *grpcCheck) *tlsOptions { return &c.tls }),
	)
})

// compile works out what a check asks.
func (c *grpcCheck) compile(b *block.Body) probe {
	if _, given := b.Block("tls"); given {
		c.secure = true
	}
	if c.secure {
		c.asks.TLS = new(c.tls.compile())
	}
	return c.asking(b, c.asks)
}
