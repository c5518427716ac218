package show

import (
	"fmt"
	"io"
	"slices"

	"github.com/lvsd/lvsd/internal/api"
)

// SchemaVersion is the version of all JSON that lvsd prints.
const SchemaVersion = api.SchemaVersion

// Select leaves in a status only the virtual services of these names, and what is
// wrong with them. It fails if one of them is not configured.
func Select(st *api.Status, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(st.Services, func(s api.Service) bool { return s.Name == name }) {
			return fmt.Errorf("no virtual service %q is configured: \"lvsd status\" lists them all", name)
		}
	}
	st.Routers, st.Foreign, st.Findings = []api.Router{}, []string{}, []api.Finding{}
	st.Services = slices.DeleteFunc(st.Services, func(s api.Service) bool { return !slices.Contains(names, s.Name) })
	st.Findings = append(st.Findings, api.SurveyOf(st.Services).Findings()...)
	return nil
}

// Problems leaves in a status only what is wrong: the findings, and the routers,
// services and real servers that are not as they should be.
func Problems(st *api.Status) {
	disturbed(st)
	for i := range st.Services {
		s := &st.Services[i]
		s.Servers = slices.DeleteFunc(s.Servers, func(srv api.Server) bool { return passes(&srv) })
	}
}

// WriteProblems prints what Problems leaves of a status.
func (t Terminal) WriteProblems(out io.Writer, st *api.Status) error {
	disturbed(st)
	t.problems = true
	return t.WritePart(out, st)
}

// disturbed leaves in a status only what is wrong, but all real servers of a service
// that has problems.
func disturbed(st *api.Status) {
	st.Foreign = []string{}
	st.Routers = slices.DeleteFunc(st.Routers, undisturbed)
	st.Services = slices.DeleteFunc(st.Services, func(s api.Service) bool { return len(api.SurveyOf([]api.Service{s}).Findings()) == 0 })
}

// undisturbed reports whether a router is as it should be, and knows of nothing that
// is wrong around it.
func undisturbed(r api.Router) bool {
	switch {
	case r.AddressesFailure != "" || r.Unsent != "" || r.Unasked != "" || r.Dispute != "" || r.Aside != nil || len(r.Rivals) > 0:
		return false
	case r.State == api.Backup:
		return r.Held == 0 && r.Overdue == 0
	default:
		return r.State == api.Master && r.Held == len(r.Addresses)
	}
}

// Plugin returns the exit status that a monitoring plugin has for the findings: 0
// fine, 1 warning, 2 critical
// (https://www.monitoring-plugins.org/doc/guidelines.html).
func Plugin(all []api.Finding) int {
	status := 0
	for i := range all {
		switch all[i].Severity {
		case api.Error:
			return 2
		case api.Warning:
			status = 1
		}
	}
	return status
}
