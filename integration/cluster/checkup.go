package cluster

import (
	"encoding/json"
	"fmt"

	"github.com/lvsd/lvsd/internal/api"
)

// Examinations reads what lvsd doctor has printed as JSON, by the codes of examinations; failure
// is how it ended, which must be as it says itself.
func Examinations(printed string, failure error) (map[string]api.Examination, error) {
	var a api.Checkup
	if err := json.Unmarshal([]byte(printed), &a); err != nil {
		return nil, fmt.Errorf("lvsd doctor: %w: %s", failure, printed)
	}
	if a.OK != (failure == nil) {
		return nil, fmt.Errorf("lvsd doctor says ok: %v, and ends with: %w", a.OK, failure)
	}
	all := make(map[string]api.Examination)
	for _, e := range a.Examinations {
		all[e.Code] = e
	}
	return all, nil
}
