package ipvsadm_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/lvsd/lvsd/ipvsctl"
	"github.com/lvsd/lvsd/ipvsctl/ipvsadm"
)

// names are those of a machine without a network.
var names = ipvsadm.Names{
	Address: func(host string) (netip.Addr, bool) {
		return netip.MustParseAddr("192.0.2.7"), host == "www.example.com"
	},
	Host:     func(a netip.Addr) (string, bool) { return "www.example.com", a == netip.MustParseAddr("192.0.2.7") },
	Services: ipvsadm.ParseServices("http\t80/tcp www # WorldWideWeb\nsip 5060/udp\nx 99999/tcp\nhttp-alt 8080/tcp\nwebcache 8080/tcp\ncomment\n"),
}

func TestParse(t *testing.T) {
	tests := []struct{ line, want string }{
		{"-A -t 10.0.0.1:80", "-A -t 10.0.0.1:80 -s wlc"},
		{"--add-service --tcp-service=10.0.0.1:http --scheduler=rr", "-A -t 10.0.0.1:80 -s rr"},
		{"-At10.0.0.1:www -srr", "-A -t 10.0.0.1:80 -s rr"},
		{"-A -t=10.0.0.1:80 -s=rr", "-A -t 10.0.0.1:80 -s rr"},
		{"-A -t www.example.com:http", "-A -t 192.0.2.7:80 -s wlc"},
		{"-A -t 10.1:80", "-A -t 10.0.0.1:80 -s wlc"},
		{"-A -t 0x0a.010:80", "-A -t 10.0.0.8:80 -s wlc"},
		{"-A -t 10.0.0.1:+80 --sort --sort", "-A -t 10.0.0.1:80 -s wlc"},
		{"-A -t [2001:db8::1]:80", "-A -t [2001:db8::1]:80 -s wlc"},
		{"-A -p -t 2001:db8::1", "-A -t [2001:db8::1]:0 -s wlc -p 360"},
		{"-A -t [10.0.0.1]:80 -p 7", "-A -t 10.0.0.1:0 -s wlc -p 7"},
		{"-A -u 10.0.0.1:sip -p -o --pe sip", "-A -u 10.0.0.1:5060 -s wlc -p 360 --pe sip -o"},
		{"-A -t 10.0.0.1:80 -p 60 -M 24", "-A -t 10.0.0.1:80 -s wlc -p 60 -M 0.0.0.24"},
		{"-A -M 255.255.0.0 -t 10.0.0.1:80 -p", "-A -t 10.0.0.1:80 -s wlc -p 360 -M 255.255.0.0"},
		{"-A -t [::1]:80 -p 60 -M 64abc", "-A -t [::1]:80 -s wlc -p 60 -M 64"},
		{"-A -M 255.255.0.0 -t [::1]:80 -p 60", "-A -t [::1]:80 -s wlc -p 60"},
		{"-A -f 4294967295 -6", "-A -f 4294967295 -6 -s wlc"},
		{"-A -b sh-port,flag-3 -f 1 -s sh", "-A -f 1 -s sh -b sh-port,flag-3"},
		{"-E --sctp-service 10.0.0.1:1 -b flag-2", "-E --sctp-service 10.0.0.1:1 -s wlc -b flag-2"},
		{"-D -f 7", "-D -f 7"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -g -w 1"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1:8080", "-a -t 10.0.0.1:80 -r 10.0.1.1:80 -g -w 1"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1:http-alt -m -w 0 -x 7 -y 5", "-a -t 10.0.0.1:80 -r 10.0.1.1:8080 -m -w 0 -x 7 -y 5"},
		{"-a -m -r 10.0.1.1 -t 10.0.0.1:80", "-a -t 10.0.0.1:80 -r 10.0.1.1:0 -m -w 1"},
		{"-a -f 7 -r 10.0.1.1:8080 -g", "-a -f 7 -r 10.0.1.1:8080 -g -w 1"},
		{"-a -t 10.0.0.1:80 -r [2001:db8::4]:1 -i --tun-type gue --tun-port 6080 --tun-csum", "-a -t 10.0.0.1:80 -r [2001:db8::4]:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum"},
		{"-e -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gre --tun-nocsum", "-e -t 10.0.0.1:80 -r 10.0.1.1:80 -i -w 1 --tun-type gre --tun-nocsum"},
		{"-d -t 10.0.0.1:80 -r 10.0.1.1:8080", "-d -t 10.0.0.1:80 -r 10.0.1.1:8080"},
	}
	for _, tt := range tests {
		c, err := ipvsadm.Parse(strings.Fields(tt.line), names)
		if err != nil || c.Op.String() != tt.want {
			t.Errorf("%s: %v, error %v, want %s", tt.line, c.Op, err, tt.want)
		}
	}
}

func TestParseWhatIsNoRow(t *testing.T) {
	group := netip.MustParseAddr("ff02::51")
	tests := []struct {
		line string
		want ipvsadm.Command
	}{
		{"-L", ipvsadm.Command{Verb: ipvsadm.List}},
		{"-lXn --nosort --stats", ipvsadm.Command{Verb: ipvsadm.List, Listing: ipvsadm.Listing{Numeric: true, Exact: true, Unsorted: true, Stats: true}}},
		{"-L -o json -c", ipvsadm.Command{Verb: ipvsadm.List, Listing: ipvsadm.Listing{JSON: true, Subject: ipvsadm.Connections}}},
		{"--list --output=json", ipvsadm.Command{Verb: ipvsadm.List, Listing: ipvsadm.Listing{JSON: true}}},
		{"-S -n", ipvsadm.Command{Verb: ipvsadm.Save, Listing: ipvsadm.Listing{Numeric: true}}},
		{"-C --force --state-dir /x", ipvsadm.Command{Verb: ipvsadm.Clear, Force: true, StateDir: "/x"}},
		{"--set 0 120 2678400", ipvsadm.Command{Verb: ipvsadm.Set, Timeouts: ipvsctl.Timeouts{TCPFin: 120, UDP: 2678400}}},
		{"--start-daemon master", ipvsadm.Command{Verb: ipvsadm.StartDaemon, Daemon: ipvsctl.SyncDaemon{Role: ipvsctl.SyncMaster, Interface: "eth0"}}},
		{"--start-daemon=backup --mcast-interface eth1 --syncid 7 --sync-maxlen 1400 --mcast-group ff02::51 --mcast-port 9000 --mcast-ttl 3", ipvsadm.Command{Verb: ipvsadm.StartDaemon,
			Daemon: ipvsctl.SyncDaemon{Role: ipvsctl.SyncBackup, Interface: "eth1", ID: 7, MaxLength: 1400, Group: group, Port: 9000, TTL: 3}}},
		{"--stop-daemon backup", ipvsadm.Command{Verb: ipvsadm.StopDaemon, Daemon: ipvsctl.SyncDaemon{Role: ipvsctl.SyncBackup}}},
		{"-h -Q", ipvsadm.Command{Verb: ipvsadm.Help}},
	}
	for _, tt := range tests {
		c, err := ipvsadm.Parse(strings.Fields(tt.line), names)
		c.Op = ipvsctl.Op{}
		if err != nil || c != tt.want {
			t.Errorf("%s: %+v, error %v, want %+v", tt.line, c, err, tt.want)
		}
	}
}

func TestMistakesAreExplained(t *testing.T) {
	tests := []struct {
		line   string
		status int
		text   string
	}{
		{"", 255, "first option must be a command"},
		{"-n", 255, "first option must be a command"},
		{"extra", 255, "first option must be a command"},
		{"-Q", 255, "no option -Q"},
		{"--nosuch=7", 255, "no option --nosuch"},
		{"-L --numeric=7", 255, "--numeric has no value"},
		{"-L -n=", 255, "-n has no value"},
		{"-A -t", 255, "-t needs a value: host[:port]"},
		{"-A -t 10.0.0.1:80 -E", 2, "-E is a second command"},
		{"-A", 2, "--add-service needs a virtual service: -t, -u, --sctp-service, -f"},
		{"-a -t 10.0.0.1:80", 2, "--add-server needs a real server: -r"},
		{"-A -t 10.0.0.1:80 -u 10.0.0.1:80", 2, "-u is a second virtual service, after -t"},
		{"-A -t 10.0.0.1:80 -w 3", 2, "-w does not go with --add-service"},
		{"-C -n", 2, "-n does not go with --clear"},
		{"-A -t 10.0.0.1", 2, "must be persistent"},
		{"-A -t 80", 2, `-t "80": write an address`},
		{"-A -t [::1] -p", 2, "write an address"},
		{"-A -t [::1:80 -p", 2, "write an address"},
		{"-A -t fe80::1%eth0 -p", 2, "write an address"},
		{"-A -t nobody.example.com:80", 2, "write an address"},
		{"-A -t 10.0.0.1:nosuch", 2, "write an address"},
		{"-A -t 10.0.0.1:65536", 2, "write an address"},
		{"-A -t 1.2.3.4.5:80", 2, "write an address"},
		{"-A -t 1.256:80 -s rr -o", 2, "is for UDP"},
		{"-A -f 0", 2, "write a firewall mark"},
		{"-A -f -1", 2, "write a firewall mark"},
		{"-A -6 -f 1", 2, "-6 goes behind -f"},
		{"-A -t 10.0.0.1:80 -p 2678401", 2, "from 1 to 2678400"},
		{"-A -t 10.0.0.1:80 -M x", 2, "write a mask"},
		{"-A -t [::1]:80 -M 129", 2, "write a prefix length"},
		{"-A -t 10.0.0.1:80 -b mh-port", 2, "mh-port: that is a flag of the scheduler mh, and this one is wlc"},
		{"-A -t 10.0.0.1:80 -b ,", 2, "write at least one flag"},
		{"-A -t 10.0.0.1:80 -b x", 2, `there is no flag "x"`},
		{"-a -t 10.0.0.1:80 -r [::1]:80 -m", 2, "another family"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 --tun-type gre", 2, "--tun-type is for tunnels: give -i"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gue", 2, "needs a port: --tun-port"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-csum", 2, "--tun-csum does not go with a tunnel of type ipip"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type gre --tun-csum --tun-nocsum", 2, "does not go with"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 -i --tun-type x", 2, "write ipip, gue or gre"},
		{"-a -t 10.0.0.1:80 -r 10.0.1.1 -w 2147483648", 2, "from 0 to 2147483647"},
		{"-a -t 10.0.0.1:80 -r 80", 2, "write an address"},
		{"-L -c --timeout", 2, "--timeout does not go with -c"},
		{"-L -t 10.0.0.1:80 -c", 2, "does not go with"},
		{"-L -c --stats", 2, "--stats does not go with -c"},
		{"-L --daemon --persistent-conn", 2, "--persistent-conn does not go with --daemon"},
		{"-L -o yaml", 2, "write text or json"},
		{"-L extra", 2, `"extra" is no option`},
		{"--set 1 2", 2, "needs three timeouts"},
		{"--set 1 2 x", 2, "write a number"},
		{"--set 1 2 3 4", 2, `"4" is no option`},
		{"--start-daemon nobody", 2, "write master or backup"},
		{"--start-daemon master --mcast-group 10.0.0.1", 2, "write a multicast address"},
		{"--start-daemon master --syncid 256", 2, "from 0 to 255"},
	}
	for _, tt := range tests {
		_, err := ipvsadm.Parse(strings.Fields(tt.line), names)
		known := (*ipvsadm.Error)(nil)
		if !errors.As(err, &known) || known.Status != tt.status || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want one with status %d that says %q", tt.line, err, tt.status, tt.text)
		}
	}
}

// Whatever is typed, it is a command or a mistake, and a row's command is printed as what is
// read to the same row.
func FuzzParse(f *testing.F) {
	f.Add("-A -t 10.0.0.1:80 -s sh -b sh-port -p 60 -M 255.255.0.0 --pe sip")
	f.Add("-a -f 7 -6 -r [2001:db8::4]:80 -i --tun-type gue --tun-port=6080 --tun-remcsum -w3 -x 7 -y 5")
	f.Add("--start-daemon=master --mcast-group ff02::1 -- x")
	f.Add("-L -o json -c -n --exact")
	f.Add("-A -t [1.2:3]:4 -p=")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ipvsadm.Parse(strings.Split(line, " "), names)
		if err != nil {
			if known := (*ipvsadm.Error)(nil); !errors.As(err, &known) || known.Status == 0 {
				t.Errorf("an error without a status: %v", err)
			}
			return
		}
		if c.Op.Kind == "" || strings.ContainsAny(c.Op.Config.Scheduler+c.Op.Config.Engine, " \t\n\v\f\r\u0085\u00a0") {
			return
		}
		again, err := ipvsadm.Parse(strings.Fields(c.Op.String()), names)
		if err != nil || printed(again.Op) != printed(c.Op) {
			t.Errorf("%q became %v, and that %v, error %v", line, c.Op, again.Op, err)
		}
	})
}

// printed is an operation without what ipvsadm does not print.
func printed(op ipvsctl.Op) ipvsctl.Op {
	switch {
	case op.Kind != ipvsctl.AddService && op.Kind != ipvsctl.SetService:
		op.Config = ipvsctl.Service{}
	case op.Config.Flags&ipvsctl.Persistent == 0:
		op.Config.Netmask, op.Config.Mask = 0, 0
	}
	return op
}
