package doctor

import (
	"os"
	"strings"
	"testing"
)

const (
	inNamespace = "host/host_test.go TestWhatIsBrokenIsSeenAndMended"
	inLab       = "../../integration/doctor_test.go TestDoctor"
)

// realTests has for each examination the file and the name of the test that breaks it really,
// on a kernel; or after "none:" the reason why there is none.
var realTests = map[string]string{
	"ipvs":              "none: a test of a kernel without IPVS cannot load it: ../../integration/noipvs_test.go has the daemon there",
	"scheduler":         "none: a namespace has the kernel's modules",
	forwardingOff:       inNamespace,
	"redirects":         inNamespace,
	"offload":           "none: no device that a namespace can have puts packets together (LRO)",
	"table-size":        "none: it takes 32,769 connections, or a module that is loaded again",
	"tracking":          "none: all namespaces have one nf_conntrack_max, and only the machine may set it",
	"interface":         inNamespace,
	"ways":              inNamespace,
	"replies":           "host/replies_test.go TestRealServersThatAnswerByAnotherWay",
	"tunnel-mtu":        "none: only the lab has net.ipv4.vs.pmtu_disc",
	"adverts-filtered":  inNamespace,
	"sync-filtered":     inNamespace,
	"snooping":          inNamespace,
	"address-elsewhere": inNamespace,
	"address-answered":  inNamespace,
	"real-server":       inLab,
	"daemon":            "none: it hands on what the daemon's own tests break",
	"second-daemon":     "host/processes_test.go TestDaemonsOfDebianAreSeen",
	"capabilities":      "none: it is never wrong",
	"realtime":          "host/processes_test.go TestRealtimeIsRefusedWithoutItsCapability",
	"clock":             inLab,
}

// Each examination has a test on a real kernel, or a reason why not.
func TestEachExaminationHasARealTest(t *testing.T) {
	for i := range Examinations {
		e := &Examinations[i]
		where, known := realTests[e.Code]
		if !known {
			t.Errorf("%s has neither a real test nor a reason why there is none", e.Code)
		}
		delete(realTests, e.Code)
		file, name, _ := strings.Cut(where, " ")
		if file == "none:" {
			if name == "" {
				t.Errorf("%s has no reason", e.Code)
			}
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", e.Code, err)
			continue
		}
		_, body, _ := strings.Cut(string(text), "\nfunc "+name+"(")
		body, _, _ = strings.Cut(body, "\nfunc ")
		if !strings.Contains(body, `"`+e.Code+`"`) {
			t.Errorf("%s: %s of %s does not examine it", e.Code, name, file)
		}
	}
	for code := range realTests {
		t.Errorf("there is no examination %q", code)
	}
}
