package spawn

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lvsd/lvsd/internal/trust"
)

// Trusted returns an error that says what to do if a program is not one that lvsd
// starts: it must be an absolute path to an executable file that nobody but root and
// the users given can change or replace, so neither may they change its directories.
func Trusted(path string, users ...int) error {
	switch {
	case path == "":
		return errors.New("there is no program to run: give its absolute path and its arguments")
	case !filepath.IsAbs(path):
		return fmt.Errorf("%q is not an absolute path: programs are not searched for, so give the whole path, such as /etc/lvsd/hooks/%s", path, filepath.Base(path))
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("%q has a zero byte, which no path can have", path)
	}
	info, err := trust.File(path, "change what lvsd starts", users...)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s does not exist: create it, or correct the path", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s cannot be reached by user %d, which lvsd runs as: let that user search its directories (chmod o+x)", path, os.Geteuid())
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory: give the path of a program", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: give the path of a program", path)
	case info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not executable: run \"chmod +x %s\"", path, path)
	}
	return nil
}
