package integration

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lvsd/lvsd/integration/cluster"
	"github.com/lvsd/lvsd/vrrp"
	"golang.org/x/sys/unix"
)

// spoken are virtual routers that speak in all ways, by their ids.
var spoken = map[int]string{
	31: `addresses = ["10.13.0.31/24", "10.13.0.32/24"]`,
	32: `addresses = ["fe80::32/64", "2001:db8:13::32/64"]`,
	33: `addresses = ["10.13.0.33/24"]` + "\nversion = 2\nadvert_interval = \"1s\"",
	34: `addresses = ["10.13.0.34/24"]` + "\nversion = 2\nadvert_interval = \"1s\"\n" + `authentication { password = "secret" }`,
	35: `addresses = ["10.13.0.35/24"]` + "\nvirtual_mac {}",
	36: `addresses = ["2001:db8:13::36/64"]` + "\nvirtual_mac {}",
	37: `addresses = ["10.13.0.37/24"]` + "\n" + `peers = ["10.13.0.100"]`,
	38: `addresses = ["2001:db8:13::38/64"]` + "\n" + `peers = ["2001:db8:13::100"]`,
	39: `addresses = ["10.13.0.39/24"]`,
}

// otherForm is the router that hears an advert whose checksum is without the
// pseudo-header, and uses that form then.
const otherForm = 39

// TestTsharkUnderstandsTheAdverts has Wireshark's decoder judge what a Master says, from
// its first advert to the one that says that it leaves.
func TestTsharkUnderstandsTheAdverts(t *testing.T) {
	if cluster.InLab() {
		t.Skip("needs no IPVS")
	}
	for _, program := range []string{"dumpcap", "tshark"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs tshark: integration/packages interop")
		}
	}
	t.Parallel()
	p := &pair{Cluster: cluster.Start(t), t: t, lvsd: cluster.LVSD{Binary: cluster.Binary(t)}}
	p.lvsd.Config = filepath.Join(p.Dir, "etc")
	p.must(os.Mkdir(p.lvsd.Config, 0o755))
	for id, text := range spoken {
		if !strings.Contains(text, "advert_interval") {
			text += "\nadvert_interval = \"100ms\""
		}
		text = fmt.Sprintf("virtual_router \"r%d\" {\ninterface = \"eth0\"\nid = %[1]d\npriority = 150\n%s\n}\n", id, text)
		p.must(os.WriteFile(filepath.Join(p.lvsd.Config, fmt.Sprintf("r%d.hcl", id)), []byte(text), 0o644))
	}
	capture := filepath.Join(p.Dir, "adverts.pcapng")
	dumpcap, err := p.Client.Start("dumpcap", "dumpcap", "-q", "-i", "eth0", "-f", "ip proto 112 or ip6 proto 112", "-w", capture)
	p.must(err)
	p.until("dumpcap to listen", func() (bool, error) { return strings.Contains(dumpcap.Log(), "File: "), dumpcap.Ended() })
	p.start(0)
	for _, a := range []string{"10.13.0.34", "2001:db8:13::36", "10.13.0.39"} {
		p.waitHolder(0, netip.MustParseAddr(a))
	}
	p.must(p.Client.In(advertInTheOtherForm))
	time.Sleep(2 * time.Second) // two adverts of version 2
	p.must(p.daemons[0].Stop(patience))
	p.must(dumpcap.Signal(syscall.SIGINT))
	p.must(dumpcap.Wait(patience))

	inForm := p.decode(capture, "FALSE")
	inOther := p.decode(capture, "TRUE")
	for id := range spoken {
		heard := inForm[id]
		if id == otherForm {
			heard = inOther[id][len(inOther[id])-3:] // the last ones
		}
		for _, a := range heard {
			if a.complaint != "" || a.checksum != "1" {
				t.Errorf("id %d, priority %d: checksum %s (1 is good), %s", id, a.priority, a.checksum, a.complaint)
			}
		}
		if len(heard) < 3 || heard[len(heard)-1].priority != 0 || heard[0].priority != 150 {
			t.Errorf("id %d: adverts are missing: %+v", id, heard)
		}
	}
	if first := inForm[otherForm]; len(first) == 0 || first[0].checksum != "1" {
		t.Errorf("before it heard the other form: %+v", first)
	}
}

// advertInTheOtherForm sends one, from a router that is no better.
func advertInTheOtherForm() error {
	src := netip.MustParseAddr("10.13.0.100")
	ad := vrrp.Advert{Version: 3, VRID: otherForm, Priority: 1, Interval: 100 * time.Millisecond, PlainChecksum: true,
		Addresses: []netip.Addr{netip.MustParseAddr("10.13.0.39")}}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp.Protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, vrrp.TTL),
		unix.SetsockoptInet4Addr(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, src.As4()),
		unix.Sendto(fd, ad.Append(nil, src, vrrp.Group4), 0, &unix.SockaddrInet4{Addr: vrrp.Group4.As4()}),
	)
}

// A decoded advert is what tshark says of one.
type decoded struct {
	priority            int
	checksum, complaint string
}

// decode returns what tshark says of the adverts in a capture, in their order, by the
// router's id. With plain it takes the checksum of version 3 for one without the
// pseudo-header.
func (p *pair) decode(capture, plain string) map[int][]decoded {
	p.t.Helper()
	out, err := exec.Command("tshark", "-n", "-r", capture, "-o", "vrrp.v3_checksum_as_in_v2:"+plain, "-T", "fields", "-E", "separator=|",
		"-e", "vrrp.virt_rtr_id", "-e", "vrrp.prio", "-e", "vrrp.checksum.status", "-e", "_ws.expert.message", "-e", "_ws.malformed").Output()
	p.must(err)
	all := make(map[int][]decoded)
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if len(f) != 5 {
			p.t.Fatalf("tshark says %q", line)
		}
		id, _ := strconv.Atoi(f[0])
		priority, err := strconv.Atoi(f[1])
		if err != nil {
			p.t.Errorf("tshark says %q", line)
		}
		if priority != 1 { // not of lvsd
			all[id] = append(all[id], decoded{priority, f[2], f[3] + f[4]})
		}
	}
	return all
}
