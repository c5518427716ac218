package convert

import (
	"os"
	"os/exec"
	"os/user"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
	"github.com/lvsd/lvsd/internal/importer/keepalived"
)

// options are those of keepalived, started as one director.
func options(node string) keepalived.Options {
	return keepalived.Options{ID: node, Env: os.LookupEnv, LookPath: func(name string) (string, bool) {
		path, err := exec.LookPath(name)
		return path, err == nil
	}, KnownUser: func(name string) bool {
		_, err := user.Lookup(name)
		return err == nil
	}}
}

func readKeepalived(_ *Request, files disk, node, path string) (importer.Result, error) {
	return keepalived.Import(files, path, options(node))
}

// keepalived imports one file: of one director, or with conditions for several.
func (r *Request) keepalived(files disk) (importer.Result, []string, error) {
	path := r.Files[0]
	ids, err := keepalived.IDs(files, path, options(r.Host))
	if err != nil {
		return importer.Result{}, nil, err
	}
	if len(ids) < 2 {
		result, err := keepalived.Import(files, path, options(r.Host))
		result.Losses = append(result.Losses, alone(result.Blocks)...)
		return result, []string{r.Host}, err
	}
	of := make(map[string]importer.Result, len(ids))
	for _, id := range ids {
		if of[id], err = keepalived.Import(files, path, options(id)); err != nil {
			return importer.Result{}, nil, err
		}
	}
	result := importer.Merge(of)
	result.Losses = append(result.Losses, importer.Loss{
		Place: importer.Place{File: path, Line: 1}, Kind: importer.Note, Text: "@" + strings.Join(ids, ", @"),
		Reason: "these ids of keepalived (--config-id) are the names of the directors now",
		Remedy: "Name the hosts so, or start lvsd with --node.",
	})
	return result, ids, nil
}

// outlineKeepalived works out what keepalived makes of a file.
func outlineKeepalived(_ *Request, files disk, node, path string) (importer.Outline, error) {
	return keepalived.Outline(files, path, options(node))
}

// alone tells that a file is of one director, where something in it says so: the words of a
// virtual router that differ between directors.
func alone(blocks []*importer.Block) []importer.Loss {
	for _, word := range [...]struct{ name, theirs string }{{"source", "unicast_src_ip"}, {"priority", "priority"}} {
		for _, b := range blocks {
			if b.Kind != "virtual_router" {
				continue
			}
			if a := b.Get(word.name); a != nil && len(a.From) > 0 {
				return []importer.Loss{{
					Place: a.From[0], Kind: importer.Note, Text: word.theirs,
					Reason: "this is one director's, and all directors of lvsd have the same files",
					Remedy: "Import those of all directors together: --node lvs1=FILE --node lvs2=FILE.",
				}}
			}
		}
	}
	return nil
}
