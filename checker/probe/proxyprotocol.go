package probe

import (
	"context"

	"github.com/lvsd/lvsd/checker"
)

// proxyHeaders are what a connection begins with where the server expects the PROXY protocol (versions 1
// and 2, proxy-protocol.txt of HAProxy). It says that nobody is behind the connection,
// as health checks are to say it: the server takes the connection's own addresses.
var proxyHeaders = map[checker.ProxyProtocol]string{
	checker.ProxyV1: "PROXY UNKNOWN\r\n",
	checker.ProxyV2: "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00", // version 2, LOCAL, no addresses
}

// proxyHeader returns what a connection of a probe begins with; empty: nothing.
func proxyHeader(ctx context.Context) string {
	if v := viaOf(ctx); v != nil {
		return proxyHeaders[v.Proxy]
	}
	return ""
}
