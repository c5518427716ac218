package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lvsd/lvsd/internal/importer/convert"
	"github.com/lvsd/lvsd/internal/show"
)

// An importing is what lvsd import is asked.
type importing struct {
	convert.Request
	nodes             []string // "lvs1=keepalived.conf"
	folder            string
	force, strict, no bool
	compare           bool
	output            *choice
	color             *choice
}

func newImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:        "import PROGRAM FILE ...",
		SuggestFor: []string{"convert", "migrate", "translate"},
		Short:      "Make a configuration of another program's",
		Long: `Reads the configuration of another program, prints lvsd's configuration that does the same,
and on standard error each word that did not come along, with its line, the reason and what
to do:

  lost     what the other program did is not done
  differs  it is done, but not exactly so
  note     nothing that runs is changed

Nothing on this machine is changed, and no program is run. Passwords and keys are never
printed: with --output, they become files of their own. lvsd-import(7) walks through the
change, and back. The exit status is 0 if nothing is lost, 4 if something is lost or done
differently, and 1 if nothing can be made of a file.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().NFlag() > 0 {
				return errors.New("which program's configuration? Write its name, and then the file")
			}
			return c.Help()
		},
	}
	var im importing
	flags := c.PersistentFlags()
	flags.StringArrayVar(&im.nodes, "node", nil, "a file of one director, as NAME=FILE; one for each director makes one configuration for all")
	flags.StringVar(&im.folder, "output", "", "write it into this folder: a file for each virtual service, one for the rest, and those of keys and passwords")
	flags.BoolVar(&im.force, "force", false, "overwrite files in that folder")
	flags.BoolVar(&im.strict, "strict", false, "a note counts as a loss, too")
	flags.BoolVar(&im.no, "no-resolve", false, "look no names of hosts up; tell them")
	flags.BoolVar(&im.compare, "compare", false, "print what the other program makes of its configuration and what lvsd makes of the new one, side by side: the IPVS table, addresses and checks")
	im.output = &choice{"text", []string{"text", "json"}, "format"}
	flags.VarP(im.output, "format", "o", im.output.usage())
	im.color = colorFlag(c)
	flags.AddFlag(c.Flags().Lookup("color"))
	_ = c.MarkPersistentFlagDirname("output")
	completeFlag(c, "format", im.output.words...)
	c.MarkFlagsMutuallyExclusive("compare", "output")
	for _, p := range convert.Programs {
		c.AddCommand(newImporting(&im, p.Name, p.Files))
	}
	return c
}

// oneFile is how the command line of a program is shown that has one file.
const oneFile = "FILE"

func newImporting(im *importing, program, files string) *cobra.Command {
	return &cobra.Command{
		Use:     program + " " + files,
		Short:   "Make a configuration of " + program + "'s",
		Long:    "Prints lvsd's configuration that does what " + program + "'s does. \"-\" is standard input.\nSee lvsd import --help.",
		Example: importExamples[program],
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 && len(im.nodes) == 0 {
				return errors.New("which file? Give its name, or - for standard input")
			}
			if len(args) > 1 && files == oneFile {
				return fmt.Errorf("%s has one file, which may include others, and not %d: give those of several directors by --node NAME=FILE", program, len(args))
			}
			if len(args) > 0 && len(im.nodes) > 0 && files == oneFile {
				return errors.New("give the files of each director by --node NAME=FILE, or files for all, and not both")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			im.Program = program
			return im.run(c, args)
		},
	}
}

// importExamples are shown by --help.
var importExamples = map[string]string{
	"keepalived": `  lvsd import keepalived /etc/keepalived/keepalived.conf
  lvsd import keepalived --node lvs1=lvs1.conf --node lvs2=lvs2.conf --output /etc/lvsd`,
	"ipvsadm": `  lvsd import ipvsadm /etc/ipvsadm.rules
  ipvsadm-save -n | lvsd import ipvsadm -`,
	"ldirectord": `  lvsd import ldirectord /etc/ha.d/ldirectord.cf
  lvsd import ldirectord --no-resolve --output /etc/lvsd ldirectord.cf`,
	"heartbeat": `  cd /etc/ha.d; lvsd import heartbeat ha.cf haresources authkeys ldirectord.cf
  lvsd import heartbeat --node lvs1=lvs1.cf --node lvs2=lvs2.cf haresources authkeys`,
}

// run imports.
func (im *importing) run(c *cobra.Command, args []string) error {
	var err error
	if im.Host, err = os.Hostname(); err != nil {
		return failure(err)
	}
	im.Host, _, _ = strings.Cut(im.Host, ".")
	im.Files, im.Stdin, im.Resolve = args, c.InOrStdin(), !im.no
	for _, n := range im.nodes {
		name, path, ok := strings.Cut(n, "=")
		if !ok || name == "" || path == "" || im.Nodes[name] != "" {
			return exitError{exitUsage, fmt.Errorf("--node %s: write NAME=FILE, once for each director", n)}
		}
		if im.Nodes == nil {
			im.Nodes = make(map[string]string)
		}
		im.Nodes[name] = path
	}
	made, err := convert.Read(im.Request)
	if err != nil {
		return failure(err)
	}
	if !made.Serves() {
		return failure(errors.Join(im.tell(c, made), fmt.Errorf("there is neither a virtual router nor a virtual service in it: is it the configuration of %s?", im.Program)))
	}
	if im.compare {
		return im.beside(c, made)
	}
	refused, err := made.Validate()
	if err != nil {
		return failure(err)
	}
	if len(refused) > 0 && im.folder != "" {
		err := renderDiagnostics(c.ErrOrStderr(), refused, im.color.word)
		return failure(errors.Join(err, im.tell(c, made), errors.New("lvsd would refuse what was made, so nothing was written: without --output it is printed")))
	}
	if err := errors.Join(im.write(c, made), im.tell(c, made)); err != nil {
		return failure(err)
	}
	if len(refused) > 0 {
		if err := renderDiagnostics(c.ErrOrStderr(), refused, im.color.word); err != nil {
			return failure(err)
		}
		fmt.Fprintln(c.ErrOrStderr(), "lvsd would refuse this as it is, on this machine: correct it, and run lvsd validate")
	}
	if len(refused) > 0 || made.Lossy(im.strict) {
		return exitError{exitDifferences, nil}
	}
	return nil
}

// beside prints what both programs would make.
func (im *importing) beside(c *cobra.Command, made *convert.Import) error {
	both, refused, err := made.Compared()
	if len(refused) > 0 {
		err = errors.Join(renderDiagnostics(c.ErrOrStderr(), refused, im.color.word), errors.New("lvsd would refuse what was made, so it makes nothing that could be compared"))
	}
	if err != nil {
		return failure(err)
	}
	out := c.OutOrStdout()
	if im.output.word == "json" {
		err = json.NewEncoder(out).Encode(both)
	} else {
		width, colour := terminal(out, im.color.word)
		err = show.Terminal{Width: width, Color: colour}.WriteCompared(out, both)
	}
	if err == nil && both.Differences {
		return exitError{exitDifferences, nil}
	}
	return failure(err)
}

// write prints the configuration, or writes it into the folder.
func (im *importing) write(c *cobra.Command, made *convert.Import) error {
	out := c.OutOrStdout()
	if im.folder != "" {
		names, err := made.Write(im.folder, im.force)
		if err == nil && im.output.word == "text" {
			fmt.Fprintln(out, "wrote "+strings.Join(names, ", "))
		}
		if err != nil {
			return err
		}
	}
	if im.output.word == "json" {
		return json.NewEncoder(out).Encode(made.Tell(im.folder != ""))
	}
	if im.folder == "" {
		_, err := fmt.Fprint(out, made.Tell(false).Files[0].Text)
		return err
	}
	return nil
}

// tell prints what did not come along.
func (im *importing) tell(c *cobra.Command, made *convert.Import) error {
	if im.output.word == "json" {
		return nil
	}
	errs := c.ErrOrStderr()
	width, colour := terminal(errs, im.color.word)
	answer := made.Tell(false)
	if im.folder != "" {
		answer.Secrets = nil // They are written.
	}
	return show.Terminal{Width: width, Color: colour}.WriteLosses(errs, answer)
}
