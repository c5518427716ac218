package show

import (
	"fmt"
	"slices"
	"strings"

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
	for i := range st.Services {
		if f := wrong(&st.Services[i]); f.Severity != api.Info {
			st.Findings = append(st.Findings, f)
		}
	}
	return nil
}

// Problems leaves in a status only what is wrong: the findings, and the routers,
// services and real servers that are not as they should be.
func Problems(st *api.Status) {
	st.Foreign = []string{}
	st.Routers = slices.DeleteFunc(st.Routers, func(r api.Router) bool {
		return r.AddressesFailure == "" && (r.State == api.Backup && r.Held == 0 && r.Overdue == 0 || r.State == api.Master && r.Held == len(r.Addresses))
	})
	st.Services = slices.DeleteFunc(st.Services, func(s api.Service) bool { return wrong(&s).Severity == api.Info })
	for i := range st.Services {
		s := &st.Services[i]
		s.Servers = slices.DeleteFunc(s.Servers, func(srv api.Server) bool { return passes(&srv) })
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

// wrong returns what is wrong with a service; Info: nothing is.
func wrong(s *api.Service) api.Finding {
	f := api.Finding{Severity: api.Info, Subject: fmt.Sprintf("virtual service %q", s.Name)}
	var down []string
	for i := range s.Servers {
		if s.Servers[i].Health == api.Down {
			down = append(down, s.Servers[i].Name)
		}
	}
	switch {
	case !s.InKernel && s.Supply != api.Withheld:
		f.Code, f.Severity, f.Text = "services-missing", api.Error, "is not in the kernel's table, so its clients are not served"
	case s.Supply == api.Unserved && s.FallbackServes():
		f.Code, f.Severity, f.Text = "fallback-serves", api.Warning, api.Explain(s.Reason)+", so the fallback serves"
	case s.Supply == api.Unserved:
		f.Code, f.Severity, f.Text = "services-unserved", api.Error, api.Explain(s.Reason)+", so clients are refused"
	case len(down) > 0:
		f.Code, f.Severity = "servers-down", api.Warning
		f.Text = fmt.Sprintf("%d of %d real servers are down: %s", len(down), len(s.Servers), strings.Join(down, ", "))
	}
	f.Text = f.Subject + ": " + f.Text
	return f
}
