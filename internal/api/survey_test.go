package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestASurveySaysWhichServicesServeBadlyAndWhy(t *testing.T) {
	fallback := func(kernelWeight uint32, inKernel bool) *Server {
		return &Server{Name: "fallback", InKernel: inKernel, KernelWeight: kernelWeight}
	}
	service := func(name string, supply Supply, reason string, fallback *Server, health ...Health) Service {
		s := Service{Name: name, Address: "tcp 10.13.0.200:80", InKernel: true, Supply: supply, Reason: reason, Fallback: fallback}
		for i, h := range health {
			s.Servers = append(s.Servers, Server{Name: string(rune('a' + i)), Health: h})
		}
		return s
	}
	absent := func(s Service) Service {
		s.InKernel = false
		return s
	}
	const (
		refused = `error services-unserved down: virtual service web (tcp 10.13.0.200:80): no real server is up, so clients are refused`
		allDown = `warning servers-down : 2 of 2 real servers are down: web/a, web/b`
	)
	for _, tt := range []struct {
		name     string
		services []Service
		unknown  int
		want     []string
	}{
		{"all is well", []Service{service("web", Served, "", fallback(0, true), Up, Unchecked)}, 0, nil},
		{"one server is down", []Service{service("web", Served, "", nil, Up, Down)}, 0, []string{"warning servers-down : 1 of 2 real servers is down: web/b"}},
		{"all are, without a fallback", []Service{service("web", Unserved, "down", nil, Down, Down)}, 0, []string{refused, allDown}},
		{"all are, and the fallback serves", []Service{service("web", Unserved, "down", fallback(1, true), Down, Down)}, 0,
			[]string{"warning fallback-serves down: virtual service web (tcp 10.13.0.200:80): no real server is up, so the fallback serves", allDown}},
		{"the fallback has weight 0", []Service{service("web", Unserved, "down", fallback(0, true), Down, Down)}, 0, []string{refused, allDown}},
		{"the fallback is not in the kernel", []Service{service("web", Unserved, "down", fallback(1, false), Down, Down)}, 0, []string{refused, allDown}},
		{"nothing was heard yet", []Service{service("web", Undecided, "", nil, Unknown, Down, Unknown)}, 2, []string{"warning servers-down : 1 of 3 real servers is down: web/b"}},
		{"the kernel has it not", []Service{absent(service("web", Served, "", nil, Up)), absent(service("mail", Unserved, "down", nil))}, 0,
			[]string{"error services-missing : virtual services web (tcp 10.13.0.200:80), mail (tcp 10.13.0.200:80): not in the kernel's table, so clients are not served"}},
		{"it is withheld while another director is Master", []Service{absent(service("web", Withheld, "", nil, Up))}, 0, nil},
		{"unserved for different reasons", []Service{
			service("web", Unserved, "full", nil, Up), service("mail", Unserved, "drained", nil, Up), service("dns", Unserved, "no_result", nil), service("ftp", Unserved, "no_server", nil)}, 0,
			[]string{
				"error services-unserved drained: virtual service mail (tcp 10.13.0.200:80): every real server that is not down has weight 0, so clients are refused",
				"error services-unserved full: virtual service web (tcp 10.13.0.200:80): every real server that is up has reached its upper_threshold, so clients are refused" +
					"; raise upper_threshold or add real servers; a fallback with when_full = true serves meanwhile",
				"error services-unserved no_result: virtual service dns (tcp 10.13.0.200:80): no check of a real server has had a result yet, so clients are refused",
				"error services-unserved no_server: virtual service ftp (tcp 10.13.0.200:80): no real server is configured, so clients are refused",
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := SurveyOf(tt.services)
			var got []string
			for _, f := range s.Findings() {
				line := string(f.Severity) + " " + f.Code + " " + f.Subject + ": " + f.Text
				if f.Remedy != "" {
					line += "; " + f.Remedy
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if s.Services != len(tt.services) || s.Unknown != tt.unknown {
				t.Errorf("%d services and %d servers of unknown health, want %d and %d", s.Services, s.Unknown, len(tt.services), tt.unknown)
			}
		})
	}
}

// A newer lvsd may know a reason that this one does not.
func TestAReasonThatIsNotKnownIsShownAsItIs(t *testing.T) {
	if got := Explain("asleep"); got != "asleep" {
		t.Errorf("explained as %q", got)
	}
}
