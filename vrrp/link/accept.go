package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

const (
	// refusalTable is lvsd's own table of nftables, of the family inet.
	refusalTable = "lvsd"
	// afterIPVS is the priority of its chain: IPVS takes what is for a virtual service
	// at NF_IP_PRI_NAT_SRC - 2 and - 1, 98 and 99 (ip_vs_ops in ip_vs_core.c), and no
	// chain after that sees it.
	afterIPVS = 110
	// refusalEvery is how often it is looked whether the table is still there: "nft
	// flush ruleset" removes everybody's.
	refusalEvery = 5 * time.Second
)

// Refuse drops from now on what comes for these addresses and for no virtual service,
// and for no others. It is forgotten only with Refuse(nil).
func (l *Link) Refuse(addresses []netip.Addr) {
	l.mu.Lock()
	l.refused, l.refusing = addresses, true
	l.mu.Unlock()
	token(l.listen)
}

// refuse makes the table as it is wanted, and returns why that failed, if it did.
func (l *Link) refuse(now time.Time) (failure string) {
	l.mu.Lock()
	want, wanted := l.refused, l.refusing
	l.mu.Unlock()
	r := &l.refusal
	if !wanted {
		return ""
	}
	if slices.Equal(r.dropped, want) && (r.known && len(want) == 0 || now.Before(r.lookAt)) {
		return r.failure
	}
	err := l.remake(want, r.known && slices.Equal(r.dropped, want))
	r.known, r.dropped, r.failure, r.lookAt = true, want, "", time.Time{}
	if len(want) > 0 {
		r.lookAt = now.Add(refusalEvery)
	}
	if err != nil && len(want) > 0 { // Who wants nothing need not have nftables.
		r.known, r.lookAt = false, now.Add(retryAfter)
		r.failure = fmt.Sprintf("packets for the virtual address cannot be dropped, as accept = false asks for (%v): load the module (modprobe nf_tables), or remove accept = false", err)
	}
	return r.failure
}

// remake makes the table anew, in one transaction, unless it is there and as it should
// be, and removes it where nothing is to be dropped.
func (l *Link) remake(want []netip.Addr, same bool) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("opening a socket for nftables: %w", err)
	}
	there, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return fmt.Errorf("listing the tables of nftables: %w", err)
	}
	exists := slices.ContainsFunc(there, func(t *nftables.Table) bool { return t.Name == refusalTable })
	if same && exists || !exists && len(want) == 0 {
		return nil
	}
	table := &nftables.Table{Name: refusalTable, Family: nftables.TableFamilyINet}
	if exists {
		c.DelTable(table)
	}
	if len(want) > 0 {
		if err := refuseIn(c, c.AddTable(table), want); err != nil {
			return err
		}
	}
	err = c.Flush()
	if errors.Is(err, unix.ENOENT) && len(want) == 0 {
		return nil // Somebody was faster.
	}
	if err != nil {
		return fmt.Errorf("setting the table %s of nftables: %w", refusalTable, err)
	}
	return nil
}

// refuseIn adds the chain and its rules, as
//
//	iif lo accept
//	icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
//	ip daddr { … } drop
//	ip6 daddr { … } drop
//
// ARP does not pass there. Without neighbour discovery, nobody would find the Master.
func refuseIn(c *nftables.Conn, table *nftables.Table, addresses []netip.Addr) error {
	chain := c.AddChain(&nftables.Chain{Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityRef(afterIPVS)})
	add := func(exprs ...expr.Any) { c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs}) }
	accept, drop := &expr.Verdict{Kind: expr.VerdictAccept}, &expr.Verdict{Kind: expr.VerdictDrop}
	const loopback = 1 // the index of lo in each network namespace
	add(&expr.Meta{Key: expr.MetaKeyIIF, Register: 1}, equals(binary.NativeEndian.AppendUint32(nil, loopback)), accept)
	for _, kind := range []byte{neighbourSolicitation, neighbourAdvertisement} {
		add(&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equals([]byte{unix.IPPROTO_ICMPV6}),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1}, equals([]byte{kind}), accept)
	}
	for _, f := range []struct {
		protocol    byte
		is          func(netip.Addr) bool
		at, size    uint32 // of the destination in the header
		addressType nftables.SetDatatype
	}{
		{unix.NFPROTO_IPV4, netip.Addr.Is4, 16, 4, nftables.TypeIPAddr},
		{unix.NFPROTO_IPV6, netip.Addr.Is6, 24, 16, nftables.TypeIP6Addr},
	} {
		var elements []nftables.SetElement
		for _, a := range addresses {
			if f.is(a) {
				elements = append(elements, nftables.SetElement{Key: a.AsSlice()})
			}
		}
		if len(elements) == 0 {
			continue
		}
		set := &nftables.Set{Table: table, Anonymous: true, Constant: true, KeyType: f.addressType}
		if err := c.AddSet(set, elements); err != nil {
			return fmt.Errorf("encoding the addresses for nftables: %w", err)
		}
		add(&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1}, equals([]byte{f.protocol}),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: f.at, Len: f.size},
			&expr.Lookup{SourceRegister: 1, SetName: set.Name, SetID: set.ID}, drop)
	}
	return nil
}

func equals(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }
