package convert

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/api"
	"github.com/lvsd/lvsd/internal/config"
	"github.com/lvsd/lvsd/internal/importer"
)

// An Import is lvsd's configuration, and what did not come along.
type Import struct {
	Program string
	importer.Result
	// Nodes are the directors that it tells apart; one at least.
	Nodes []string

	request Request
	files   disk
}

// A reader imports one file of a program, of one director.
type reader func(r *Request, files disk, node, path string) (importer.Result, error)

var readers = map[string]reader{"keepalived": readKeepalived, "ldirectord": readLdirectord, "ipvsadm": readIPVSAdm}

// Read makes lvsd's configuration. An error says where something cannot be read.
func Read(r Request) (*Import, error) {
	stdin, err := r.input()
	if err != nil {
		return nil, err
	}
	files := disk{stdin: stdin}
	if err := r.finished(files); err != nil {
		return nil, err
	}
	im := &Import{Program: r.Program, request: r, files: files}
	read, known := readers[r.Program]
	switch {
	case r.Program == "heartbeat":
		im.Result, im.Nodes, err = r.heartbeat(files)
	case !known:
		return nil, fmt.Errorf("nothing is known of %q", r.Program)
	case len(r.Nodes) > 0:
		im.Result, im.Nodes, err = r.byNode(files, read)
	case r.Program == "keepalived":
		im.Result, im.Nodes, err = r.keepalived(files)
	default:
		im.Nodes = []string{r.Host}
		im.Result, err = read(&r, files, r.Host, r.Files[0])
	}
	if err != nil {
		return nil, err
	}
	importer.Tidy(im.Blocks)
	im.Blocks = importer.Simplify(im.Blocks)
	importer.Sort(im.Losses)
	return im, nil
}

// byNode imports a file of each director, in the order of their names.
func (r *Request) byNode(files disk, read reader) (importer.Result, []string, error) {
	nodes := slices.Sorted(maps.Keys(r.Nodes))
	of := make(map[string]importer.Result, len(nodes))
	for _, node := range nodes {
		result, err := read(r, files, node, r.Nodes[node])
		if err != nil {
			return importer.Result{}, nil, err
		}
		of[node] = result
	}
	return importer.Merge(of), nodes, nil
}

// Serves reports whether there is a virtual router or a virtual service, without which there is
// no configuration.
func (im *Import) Serves() bool {
	return slices.ContainsFunc(im.Blocks, func(b *importer.Block) bool { return b.Kind == "virtual_router" || b.Kind == "virtual_service" })
}

// Lossy reports whether something did not come along; strict: a note is something, too.
func (im *Import) Lossy(strict bool) bool {
	return slices.ContainsFunc(im.Losses, func(l importer.Loss) bool { return strict || l.Kind != importer.Note })
}

// Tell returns the answer, in one file, or by parts in several.
func (im *Import) Tell(parts bool) *api.Imported {
	a := &api.Imported{SchemaVersion: api.SchemaVersion, Program: im.Program, Files: im.texts(parts), Secrets: []string{}, Losses: []api.ImportLoss{}}
	for _, f := range im.Files {
		a.Secrets = append(a.Secrets, f.Name)
	}
	for _, l := range im.Losses {
		a.Losses = append(a.Losses, api.ImportLoss{File: l.File, Line: l.Line, Node: l.Node, Kind: l.Kind.String(), Text: l.Text, Reason: l.Reason, Remedy: l.Remedy})
	}
	return a
}

// texts are the files of the configuration.
func (im *Import) texts(parts bool) (all []api.ImportedFile) {
	list := []importer.Part{{Name: "lvsd.hcl", Blocks: im.Blocks}}
	if parts {
		list = importer.Split(im.Blocks)
	}
	for _, p := range list {
		all = append(all, api.ImportedFile{Name: p.Name, Text: importer.Write(p.Blocks)})
	}
	return all
}

// Validate has lvsd read the configuration, as each director, and returns what it would say, in
// lines of the configuration as one file. Programs and certificates may be missing on this
// machine.
func (im *Import) Validate() (config.Diagnostics, error) {
	_, diags, err := im.load()
	return diags, err
}

// load has lvsd read the configuration, as each director in their order, with its secrets
// beside it.
func (im *Import) load() (all []*config.Config, refused config.Diagnostics, err error) {
	folder, err := os.MkdirTemp("", "lvsd-import-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(folder)
	text := importer.Write(im.Blocks)
	for _, f := range im.Files {
		path := filepath.Join(folder, filepath.Base(f.Name))
		if err := os.WriteFile(path, []byte(f.Secret), 0o600); err != nil {
			return nil, nil, err
		}
		text = strings.ReplaceAll(text, `"`+f.Name+`"`, `"`+path+`"`)
	}
	sources, err := config.FromFiles(folder, config.SourceFile{Name: "lvsd.hcl", Text: []byte(text)})
	if err != nil {
		return nil, nil, err
	}
	for _, node := range im.Nodes {
		c, diags := config.Parse(sources, config.Options{Node: node})
		if diags.HasErrors() {
			return nil, im.traced(diags), nil // The other directors' would say the same.
		}
		all = append(all, c)
	}
	return all, nil, nil
}

// traced has each mistake say of which lines of the other program's that was made.
func (im *Import) traced(diags config.Diagnostics) config.Diagnostics {
	from := importer.Sources(im.Blocks)
	for i := range diags {
		if places := from[diags[i].Line]; len(places) > 0 {
			diags[i].Detail += " It was made of " + placesText(places) + "."
		}
	}
	return diags
}

// placesText lists some places, each once.
func placesText(places []importer.Place) string {
	const most = 3
	var all []string
	for _, p := range places {
		if text := fmt.Sprintf("%s:%d", p.File, p.Line); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	if more := len(all) - most; more > 0 {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}

// Write writes the configuration, and the files with secrets, into a folder, which is made.
// What is there is not overwritten without force: then nothing is written.
func (im *Import) Write(folder string, force bool) (names []string, err error) {
	var files []output
	for _, f := range im.texts(true) {
		files = append(files, output{path: filepath.Join(folder, f.Name), text: f.Text, mode: 0o644})
	}
	for _, f := range im.Files {
		files = append(files, output{path: filepath.Join(folder, filepath.Base(f.Name)), text: f.Secret, mode: 0o640})
	}
	for _, f := range files {
		if _, err := os.Lstat(f.path); err == nil && !force {
			return nil, fmt.Errorf("%s is there already: nothing was written; choose another folder, or give --force", f.path)
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for i := range files { // All are on the disk before the first one is replaced.
		if err = files[i].prepare(); err != nil {
			break
		}
	}
	for i := range files {
		if f := &files[i]; err == nil {
			err = os.Rename(f.beside, f.path)
			names = append(names, f.path)
		} else if f.beside != "" {
			err = errors.Join(err, os.Remove(f.beside))
		}
	}
	return names, err
}

// An output is a file to be written.
type output struct {
	path, text string
	mode       os.FileMode
	beside     string // where its text is until it is in its place; empty: nowhere
}

// groupOf is the number of a group; -1: there is none, and it stays as it is.
func groupOf(name string) int {
	g, err := user.LookupGroup(name)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(g.Gid)
	if err != nil {
		return -1
	}
	return n
}

// prepare writes a file's text beside it. Whoever reads the file when it is replaced reads the
// old one or the new one, and nobody reads a secret before its mode is set.
func (o *output) prepare() error {
	file, err := os.CreateTemp(filepath.Dir(o.path), ".lvsd-import-")
	if err != nil {
		return err
	}
	o.beside = file.Name()
	_, err = file.WriteString(o.text)
	if o.mode&0o040 > 0 && o.mode&0o004 == 0 {
		_ = file.Chown(-1, groupOf("lvsd")) // Where there is no such group, it stays the user's own.
	}
	if err = errors.Join(err, file.Chmod(o.mode), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", o.path, err)
	}
	return nil
}
