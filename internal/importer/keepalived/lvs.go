package keepalived

import "slices"

// lvsWords are the words at the top level that importLVS takes; all others are importVRRP's.
var lvsWords = []string{"virtual_server", "virtual_server_group", "SSL"}

// importLVS adds the virtual services.
func importLVS(top []*Statement, w *walk) {
	for _, s := range top {
		if slices.Contains(lvsWords, s.Words[0]) {
			w.foreign(s)
		}
	}
}
