// Package alike shows that a TCP check which the checker's Engine asks ends as one that
// connect(2) makes, whatever state a server is in.
package alike
