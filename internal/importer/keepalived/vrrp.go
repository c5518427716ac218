package keepalived

import "slices"

// importVRRP adds the virtual routers, and what concerns the daemon as a whole.
func importVRRP(top []*Statement, w *walk) {
	top = slices.DeleteFunc(slices.Clone(top), func(s *Statement) bool { return slices.Contains(lvsWords, s.Words[0]) })
	w.each(top, words{})
}
