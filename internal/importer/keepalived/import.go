package keepalived

import "github.com/lvsd/lvsd/internal/importer"

// Import makes lvsd's configuration of keepalived's, for the director that would start
// it with these options.
func Import(files Files, path string, o Options) (importer.Result, error) {
	top, losses, err := Parse(files, path, o)
	if err != nil {
		return importer.Result{}, err
	}
	w := &walk{}
	w.Losses = losses
	importVRRP(top, w)
	importLVS(top, w)
	return w.Result, nil
}
