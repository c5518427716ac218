package doctor

import (
	"maps"
	"os"
	"strings"
	"testing"
)

const (
	inNamespace = "host/host_test.go TestWhatIsBrokenIsSeenAndMended"
	inLab       = "../../integration/doctor_test.go TestDoctor"
	byOthers    = "../../integration/doctor_test.go TestDoctorOfOthers"
	ofKernel    = "../../integration/modules/doctor_test.go TestDoctorOfTheKernel"
)

// realTests has for each examination the file and the name of the test that breaks it really,
// on a kernel; or after "none:" the reason why there is none.
var realTests = map[string]string{
	"ipvs":              ofKernel,
	"scheduler":         ofKernel,
	forwardingOff:       inNamespace,
	"redirects":         inNamespace,
	"offload":           ofKernel,
	"table-size":        ofKernel,
	"tracking":          ofKernel,
	"interface":         inNamespace,
	"ways":              inNamespace,
	"replies":           "host/replies_test.go TestRealServersThatAnswerByAnotherWay",
	"tunnel-mtu":        inLab,
	"adverts-filtered":  inNamespace,
	"sync-filtered":     inNamespace,
	"snooping":          byOthers,
	"address-elsewhere": inNamespace,
	"address-answered":  inNamespace,
	"router-id":         byOthers,
	"real-server":       inLab,
	"daemon":            inLab,
	"second-daemon":     byOthers, // and host/processes_test.go, and heartbeat_test.go
	"capabilities":      "../../cmd/lvsd/doctor_test.go TestDoctorWithoutCapabilities",
	"realtime":          "host/processes_test.go TestRealtimeIsRefusedWithoutItsCapability",
	"clock":             inLab,
}

// Each examination has a test on a real kernel, or a reason why not.
func TestEachExaminationHasARealTest(t *testing.T) {
	left := maps.Clone(realTests)
	for i := range Examinations {
		e := &Examinations[i]
		where, known := left[e.Code]
		if !known {
			t.Errorf("%s has neither a real test nor a reason why there is none", e.Code)
		}
		delete(left, e.Code)
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
		body, _, _ = strings.Cut(body, "\nfunc Test") // with what it calls
		if !strings.Contains(body, `"`+e.Code+`"`) {
			t.Errorf("%s: %s of %s does not examine it", e.Code, name, file)
		}
	}
	for code := range left {
		t.Errorf("there is no examination %q", code)
	}
}
