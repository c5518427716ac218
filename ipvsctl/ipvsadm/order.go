package ipvsadm

import (
	"encoding/binary"
	"net/netip"

	"github.com/lvsd/lvsd/ipvsctl"
)

// sortAs sorts as the C library's qsort does, by merging: ipvsadm compares by differences of
// 32 bits that overflow, so that what comes first among three may depend on the algorithm.
func sortAs[T any](s []T, compare func(a, b *T) int32) {
	if len(s) < 2 {
		return
	}
	left, right := s[:len(s)/2], s[len(s)/2:]
	sortAs(left, compare)
	sortAs(right, compare)
	merged := make([]T, 0, len(s))
	for len(left) > 0 && len(right) > 0 {
		if compare(&left[0], &right[0]) <= 0 {
			merged, left = append(merged, left[0]), left[1:]
		} else {
			merged, right = append(merged, right[0]), right[1:]
		}
	}
	copy(s, append(append(merged, left...), right...))
}

// compareServices orders by mark, family, protocol, address and port.
func compareServices(a, b *ipvsctl.ListedService) int32 {
	x, y := a.Key, b.Key
	if r := int32(x.Mark - y.Mark); r != 0 {
		return r
	}
	if x.Addr.Is4() != y.Addr.Is4() {
		return int32(x.Addr.BitLen() - y.Addr.BitLen())
	}
	if r := int32(x.Protocol) - int32(y.Protocol); r != 0 {
		return r
	}
	if r := compareAddresses(x.Addr, y.Addr); r != 0 {
		return r
	}
	return int32(x.Port) - int32(y.Port)
}

// compareDestinations orders by address and port.
func compareDestinations(a, b *ipvsctl.ListedDestination) int32 {
	if r := compareAddresses(a.Key.Addr, b.Key.Addr); r != 0 {
		return r
	}
	return int32(a.Key.Port) - int32(b.Key.Port)
}

// compareAddresses compares the words of a's family.
func compareAddresses(a, b netip.Addr) int32 {
	x, y := addressWords(a), addressWords(b)
	for i := range a.BitLen() / 32 {
		if r := int32(x[i] - y[i]); r != 0 {
			return r
		}
	}
	return 0
}

// addressWords are those of an address; one of IPv4 has the first.
func addressWords(a netip.Addr) (w [4]uint32) {
	var b [16]byte
	copy(b[:], a.AsSlice())
	for i := range w {
		w[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return w
}
