package cluster

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Table is the director's IPVS table as "ipvsadm -Sn" prints it, by line.
func Table(ctx context.Context, h *Host) ([]string, error) {
	out, err := h.Run(ctx, "ipvsadm", "-Sn")
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// ReadTable returns the director's IPVS table as /proc/net/ip_vs has it, which
// costs little. A daemon that uses every processor does not delay it.
func ReadTable(h *Host) (text []byte, err error) {
	err = h.do(func() (err error) {
		defer inRealTime(beforeKeepers)()
		text, err = os.ReadFile("/proc/thread-self/net/ip_vs")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the IPVS table of %s: %w", h.Name, err)
	}
	return text, nil
}

// Weights are the weights of the real servers in the director's IPVS table. One
// that serves several services counts once.
func Weights(h *Host) (map[netip.AddrPort]int, error) {
	text, err := ReadTable(h)
	if err != nil {
		return nil, err
	}
	return parseWeights(string(text))
}

// parseWeights reads the servers' lines of /proc/net/ip_vs:
//
//	-> C0A80104:0050      Masq    3      0          0
//	-> [2001:0db8:0001:0000:0000:0000:0000:0004]:0050      Masq    3      0          0
func parseWeights(text string) (map[netip.AddrPort]int, error) {
	weights := map[netip.AddrPort]int{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 6 || fields[0] != "->" || fields[1] == "RemoteAddress:Port" {
			continue
		}
		server, err := parseHexAddrPort(fields[1])
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", line, err)
		}
		weight, err := strconv.Atoi(fields[3])
		if err != nil {
			return nil, fmt.Errorf("reading %q: %w", line, err)
		}
		weights[server] = weight
	}
	return weights, nil
}

func parseHexAddrPort(text string) (netip.AddrPort, error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is no address and port", text)
	}
	port, err := strconv.ParseUint(text[colon+1:], 16, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	host := strings.Trim(text[:colon], "[]")
	if strings.Contains(host, ":") {
		addr, err := netip.ParseAddr(host)
		return netip.AddrPortFrom(addr, uint16(port)), err
	}
	bytes, err := hex.DecodeString(host)
	addr, ok := netip.AddrFromSlice(bytes)
	if err != nil || !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address", host)
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}
