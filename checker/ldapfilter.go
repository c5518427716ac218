package checker

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// anyEntry is the filter that each entry passes.
const anyEntry = "(objectClass=*)"

// Tags of filters (RFC 4511, section 4.5.1.7).
const (
	filterAnd        = 0xa0
	filterOr         = 0xa1
	filterNot        = 0xa2
	filterEqual      = 0xa3
	filterSubstrings = 0xa4
	filterGreater    = 0xa5
	filterLess       = 0xa6
	filterPresent    = 0x87
	filterApprox     = 0xa8
)

// BER returns an element in the basic encoding rules: a tag, a length, and the contents.
func BER(tag byte, contents ...[]byte) []byte {
	n := 0
	for _, c := range contents {
		n += len(c)
	}
	var all []byte
	switch {
	case n < 0x80:
		all = []byte{tag, byte(n)}
	case n < 0x100:
		all = []byte{tag, 0x81, byte(n)}
	default:
		all = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	}
	for _, c := range contents {
		all = append(all, c...)
	}
	return all
}

// LDAPFilter returns a filter as it is sent (RFC 4515). Extensible matches, by which
// nothing of a check's is looked for, are refused.
func LDAPFilter(text string) ([]byte, error) {
	if text == "" {
		text = anyEntry
	}
	encoded, rest, err := parseFilter(text, 0)
	if err == nil && rest != "" {
		err = errors.New("something follows its last parenthesis")
	}
	if err != nil {
		return nil, fmt.Errorf("filter %.40q is not valid (RFC 4515): %w", text, err)
	}
	return encoded, nil
}

// maxDepth bounds how deep filters are in each other.
const maxDepth = 20

// parseFilter reads one filter in parentheses.
func parseFilter(text string, depth int) (encoded []byte, rest string, err error) {
	text, ok := strings.CutPrefix(text, "(")
	switch {
	case !ok || text == "":
		return nil, "", errors.New("a filter is in parentheses, such as (uid=lvsd)")
	case depth > maxDepth:
		return nil, "", fmt.Errorf("its parentheses are more than %d deep", maxDepth)
	case text[0] == '&':
		return parseFilters(filterAnd, text[1:], depth)
	case text[0] == '|':
		return parseFilters(filterOr, text[1:], depth)
	case text[0] == '!':
		encoded, rest, err = parseFilter(text[1:], depth+1)
		encoded = BER(filterNot, encoded)
	default:
		item, after, closed := strings.Cut(text, ")")
		if !closed {
			return nil, "", errors.New("a parenthesis is not closed")
		}
		encoded, err = parseItem(item)
		return encoded, after, err
	}
	if err != nil {
		return nil, "", err
	}
	rest, ok = strings.CutPrefix(rest, ")")
	if !ok {
		return nil, "", errors.New("a parenthesis is not closed")
	}
	return encoded, rest, nil
}

// parseFilters reads filters up to the parenthesis that closes the list.
func parseFilters(tag byte, text string, depth int) (encoded []byte, rest string, err error) {
	var list [][]byte
	for strings.HasPrefix(text, "(") {
		var one []byte
		if one, text, err = parseFilter(text, depth+1); err != nil {
			return nil, "", err
		}
		list = append(list, one)
	}
	rest, ok := strings.CutPrefix(text, ")")
	if !ok || len(list) == 0 {
		return nil, "", errors.New("a list of filters is empty or not closed")
	}
	return BER(tag, list...), rest, nil
}

// parseItem reads a condition on one attribute.
func parseItem(text string) ([]byte, error) {
	name, value, ok := strings.Cut(text, "=")
	tag := byte(filterEqual)
	if n := len(name); ok && n > 0 {
		if kind, special := map[byte]byte{'>': filterGreater, '<': filterLess, '~': filterApprox, ':': 0}[name[n-1]]; special {
			tag, name = kind, name[:n-1]
		}
	}
	if !ok || tag == 0 || !isAttribute(name) {
		return nil, fmt.Errorf("%.40q is no condition on an attribute, such as uid=lvsd", text)
	}
	if tag == filterEqual && value == "*" {
		return BER(filterPresent, []byte(name)), nil
	}
	if tag == filterEqual && strings.Contains(value, "*") {
		return parseSubstrings(name, strings.Split(value, "*"))
	}
	plain, err := unescape(value)
	return BER(tag, BER(0x04, []byte(name)), BER(0x04, plain)), err
}

// parseSubstrings reads the parts of a value: its beginning, what is within, and its end.
func parseSubstrings(name string, parts []string) ([]byte, error) {
	const initial, within, final = 0x80, 0x81, 0x82
	var list [][]byte
	for i, p := range parts {
		plain, err := unescape(p)
		if err != nil {
			return nil, err
		}
		tag := byte(within)
		switch i {
		case 0:
			tag = initial
		case len(parts) - 1:
			tag = final
		}
		if p != "" {
			list = append(list, BER(tag, plain))
		}
	}
	if len(list) == 0 {
		return nil, errors.New("a value has nothing but stars")
	}
	return BER(filterSubstrings, BER(0x04, []byte(name)), BER(0x30, list...)), nil
}

// unescape returns a value whose bytes may be written as a backslash and two digits.
func unescape(value string) ([]byte, error) {
	var plain []byte
	for {
		before, after, found := strings.Cut(value, `\`)
		plain = append(plain, before...)
		if strings.ContainsAny(before, "(") {
			return nil, errors.New(`a parenthesis in a value is written \28 or \29`)
		}
		if !found {
			return plain, nil
		}
		if len(after) < 2 {
			return nil, errors.New(`a backslash is followed by two hexadecimal digits`)
		}
		b, err := hex.DecodeString(after[:2])
		if err != nil {
			return nil, errors.New(`a backslash is followed by two hexadecimal digits`)
		}
		plain, value = append(plain, b...), after[2:]
	}
}

// isAttribute reports whether a name can be an attribute's, with options (RFC 4512,
// section 2.5).
func isAttribute(name string) bool {
	for _, c := range []byte(name) {
		alnum := '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !alnum && !strings.ContainsRune("-.;", rune(c)) {
			return false
		}
	}
	return name != ""
}
