package keepalived

import "github.com/lvsd/lvsd/internal/importer"

// Import makes lvsd's configuration of keepalived's, for the director that would start
// it with these options.
func Import(files Files, path string, o Options) (importer.Result, error) {
	top, losses, err := Parse(files, path, o)
	if err != nil {
		return importer.Result{}, err
	}
	w := &walk{Options: o}
	w.Losses = losses
	importVRRP(top, w)
	importLVS(top, w)
	if len(w.heading) > 0 && len(w.Blocks) > 0 {
		b := w.Blocks[0]
		b.Comment = append(w.heading, b.Comment...)
	}
	return w.Result, nil
}
