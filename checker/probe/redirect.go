package probe

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A step is one request of a check, which follows redirects from one to the next.
type step struct{ method, path string }

// redirected reports whether a status says that the answer is elsewhere.
func redirected(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow returns the step to which the answer to the last one of some leads, within at
// most limit redirects. base is what the server is asked for. A redirect to another
// server says nothing about this one, so it is not followed.
func follow(base url.URL, steps []step, limit, status int, location string) (step, error) {
	last := steps[len(steps)-1]
	asked, err := base.Parse(last.path)
	if err != nil {
		return step{}, fmt.Errorf("status %d, and %.60q is no address to begin with: %w", status, last.path, err)
	}
	to, err := asked.Parse(location)
	switch {
	case err != nil || location == "":
		return step{}, fmt.Errorf("status %d leads to %.60q, which is no address", status, location)
	case to.Scheme != base.Scheme || withPort(to) != withPort(&base):
		return step{}, fmt.Errorf("status %d leads to %.100q, which is not this server (%s://%s)", status, location, base.Scheme, base.Host)
	}
	next := step{last.method, to.RequestURI()}
	if asksAgain := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect; !asksAgain && next.method != http.MethodHead {
		next.method = http.MethodGet
	}
	switch {
	case slices.Contains(steps, next):
		return step{}, fmt.Errorf("a redirect loop: status %d leads from %.60q back to %.60q", status, last.path, next.path)
	case len(steps) > limit:
		return step{}, fmt.Errorf("more than %d redirects: status %d leads from %.60q to %.60q", limit, status, last.path, next.path)
	}
	return next, nil
}

// withPort returns whom an address is of, in one form.
func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
