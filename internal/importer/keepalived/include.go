package keepalived

import (
	"errors"
	"path"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// The bounds of an include: the number of patterns that braces may make of one, and
// the bytes of a path.
const (
	maxBraces = 1000
	maxPath   = 4096
)

// includes returns what a line includes.
func includes(text string) (pattern string, is bool) {
	rest, is := strings.CutPrefix(text, "include")
	if !is || rest == "" {
		return "", false
	}
	if !isBlank(rest[0]) {
		if strings.IndexByte("rmwba", rest[0]) < 0 || len(rest) == 1 || !isBlank(rest[1]) {
			return "", false
		}
		rest = rest[1:]
	}
	return strings.Trim(rest, " \t"), true
}

// included has the files of an include read next.
func (r *reader) included(l line) line {
	pattern, is := includes(l.text)
	if !is {
		return l
	}
	if !path.IsAbs(pattern) {
		pattern = path.Join(r.folder(), pattern)
	}
	r.include(pattern, l)
	return line{}
}

// include has the files that match a pattern read next.
func (r *reader) include(pattern string, l line) {
	if len(pattern) > maxPath {
		r.fail("the path of the include has more than %d bytes", maxPath)
		return
	}
	patterns, err := expand(pattern)
	if err != nil {
		r.fail("%v", err)
		return
	}
	var found []string
	for _, p := range patterns {
		if !strings.ContainsAny(p, `*?[\`) {
			found = append(found, p)
			continue
		}
		names, err := r.files.Glob(p)
		if err != nil {
			r.lose(importer.Lost, l.text, "the pattern "+p+" cannot be read: "+err.Error(), "")
		}
		if len(names) == 0 && err == nil {
			r.lose(importer.Note, l.text, "no file matches "+p, "")
		}
		found = append(found, names...)
	}
	if len(found) > maxFiles {
		r.fail("%s matches more than %d files", pattern, maxFiles)
		return
	}
	if len(found) > 0 {
		r.push(&series{at: l.Place, names: found})
	}
}

// A series is files that are read one after the other.
type series struct {
	at    importer.Place
	names []string
}

func (s *series) next(r *reader) (line, bool) {
	if len(s.names) == 0 {
		return line{}, false
	}
	first := s.names[0]
	s.names = s.names[1:]
	r.at = s.at
	r.open(first)
	return line{Place: s.at}, true
}

// expand returns the patterns that a pattern with braces stands for, as in a shell:
// "a{b,c{d,e}}" is ab, acd and ace.
func expand(pattern string) ([]string, error) {
	begin, end, commas := group(pattern)
	if begin < 0 {
		return []string{pattern}, nil
	}
	tails, err := expand(pattern[end+1:])
	if err != nil {
		return nil, err
	}
	var out []string
	from := begin + 1
	for _, at := range append(commas, end) {
		middles, err := expand(pattern[from:at])
		if err != nil {
			return nil, err
		}
		if len(out)+len(middles)*len(tails) > maxBraces {
			return nil, errors.New("the braces of the include make more than 1000 patterns of it")
		}
		for _, m := range middles {
			for _, t := range tails {
				out = append(out, pattern[:begin]+m+t)
			}
		}
		from = at + 1
	}
	return out, nil
}

// group returns the places of the first group in braces, and of its commas; -1 if there is none.
func group(pattern string) (begin, end int, commas []int) {
	begin, depth := -1, 0
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case c == '{':
			if depth++; depth == 1 {
				begin, commas = i, nil
			}
		case c == ',' && depth == 1:
			commas = append(commas, i)
		case c == '}' && depth > 0:
			if depth--; depth == 0 {
				return begin, i, commas
			}
		}
	}
	return -1, -1, nil
}
