package keepalived

import (
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lvsd/lvsd/internal/importer"
)

// connection are the words of checks that ask a server.
var connection = sync.OnceValue(func() table[checker] {
	return table[checker]{
		"connect_ip":      ip(func(c *checker) *setting[netip.Addr] { return &c.addr }),
		"connect_port":    count(1, math.MaxUint16, func(c *checker) *setting[uint64] { return &c.port }),
		"bindto":          ip(func(c *checker) *setting[netip.Addr] { return &c.source }),
		"bind_port":       count(1, math.MaxUint16, func(c *checker) *setting[uint64] { return &c.bindPort }),
		"bind_if":         text(func(c *checker) *setting[string] { return &c.iface }),
		"connect_timeout": timer(func(c *checker) *setting[time.Duration] { return &c.timeout }),
		"fwmark":          count(0, math.MaxUint32, func(c *checker) *setting[uint64] { return &c.mark }),
	}
})

// warmup is why there is none.
const warmup = "the first probes are spread over the interval by themselves"

// pacing are the words of checks that are made again and again.
var pacing = sync.OnceValue(func() table[checker] {
	return table[checker]{
		"retry":              count(0, math.MaxUint32, func(c *checker) *setting[uint64] { return &c.retry }),
		"nb_get_retry":       misplacedRetry,
		"delay_before_retry": timer(func(c *checker) *setting[time.Duration] { return &c.delay }),
		"delay_loop":         timer(func(c *checker) *setting[time.Duration] { return &c.loop }),
		"alpha":              flag(func(c *checker) *setting[bool] { return &c.alpha }),
		"warmup":             ignored[checker](warmup),
		"log_all_failures":   ignored[checker]("every failure is in the status, and each change of a server's state in the log"),
	}
})

// misplacedRetry tells of the word that checks of HTTP alone have, and that half of the world
// writes in TCP_CHECK.
func misplacedRetry(w *walk, s *Statement, _ *checker) {
	remedy := ""
	if n, err := strconv.Atoi(s.Arg(1)); err == nil && n >= 0 && n < 100 {
		remedy = "To have what it says, write fall = " + strconv.Itoa(n+1) + " in the check block."
	}
	w.lose(importer.Lost, s, "keepalived has it in HTTP_GET and SSL_GET alone, and passes over it here, where the word is retry", remedy)
	w.drop(importer.Lost, s)
}

var httpWords = sync.OnceValue(func() table[checker] {
	return table[checker]{
		"nb_get_retry":  count(0, math.MaxUint32, func(c *checker) *setting[uint64] { return &c.retry }),
		"virtualhost":   text(func(c *checker) *setting[string] { return &c.host }),
		"http_protocol": ignored[checker]("lvsd speaks HTTP/1.1, which servers of either version understand"),
		"enable_sni":    flag(func(c *checker) *setting[bool] { return &c.sni }),
		"sni_name":      sniName,
		"fast_recovery": func(w *walk, s *Statement, c *checker) {
			w.note(s, "each url is a check of its own, and a server is up as soon as those that failed pass")
		},
		"tls_compliant": ignored[checker]("how a connection ends is no part of the verdict"),
		"url":           readURL,
	}
})

var urlWords = sync.OnceValue(func() table[url] {
	return table[url]{
		"path":             text(func(u *url) *setting[string] { return &u.path }),
		"digest":           digest,
		"status_code":      statusCode,
		"virtualhost":      text(func(u *url) *setting[string] { return &u.host }),
		"regex":            regex,
		"regex_no_match":   bare(func(u *url) *setting[bool] { return &u.not }),
		"regex_options":    regexOptions,
		"regex_min_offset": regexOffset,
		"regex_max_offset": regexOffset,
		"regex_stack":      ignored[url]("matching takes no memory that would have to be bounded"),
		"tls_compliant":    ignored[url]("how a connection ends is no part of the verdict"),
	}
})

// checkWords are the words of each kind of check.
var checkWords = sync.OnceValue(func() map[string]table[checker] {
	return map[string]table[checker]{
		"TCP_CHECK":  joined(connection(), pacing()),
		"PING_CHECK": joined(connection(), pacing()),
		"HTTP_GET":   joined(connection(), pacing(), httpWords()),
		"SSL_GET":    joined(connection(), pacing(), httpWords()),
		"SMTP_CHECK": joined(connection(), pacing(), table[checker]{
			"helo_name": text(func(c *checker) *setting[string] { return &c.name }),
			"host":      readHost,
		}),
		"DNS_CHECK": joined(connection(), pacing(), table[checker]{
			"type": dnsType,
			"name": text(func(c *checker) *setting[string] { return &c.name }),
		}),
		"UDP_CHECK": joined(connection(), pacing(), table[checker]{
			"payload":          payload,
			"require_reply":    requireReply,
			"min_reply_length": replyLength,
			"max_reply_length": replyLength,
		}),
		"MISC_CHECK": joined(pacing(), table[checker]{
			"misc_path":    miscPath,
			"misc_timeout": timer(func(c *checker) *setting[time.Duration] { return &c.runTime }),
			"misc_dynamic": bare(func(c *checker) *setting[bool] { return &c.dynamic }),
			"user":         miscUser,
		}),
		"FILE_CHECK": {
			"track_file": text(func(c *checker) *setting[string] { return &c.file }),
			"weight":     weightOfFile(func(c *checker) *setting[fileWeight] { return &c.weight }),
		},
		"BFD_CHECK": {},
	}
})

// joined is the words of several tables.
func joined(tables ...table[checker]) table[checker] {
	all := table[checker]{}
	for _, t := range tables {
		for word, take := range t {
			all[word] = take
		}
	}
	return all
}

// readChecker reads a check of a real server.
func readChecker(w *walk, s *Statement, r *realServer) {
	c := &checker{head: s}
	w.extra(s, 1)
	if !s.HasBlock {
		w.lose(importer.Differs, s, "it has no braces, and keepalived misreads what comes after it; here it is read as if they were there", "Write "+s.Words[0]+" { }.")
	}
	if s.Words[0] == "BFD_CHECK" {
		w.foreign(s)
		return
	}
	readBlock(w, s, c, checkWords()[s.Words[0]])
	r.checks = append(r.checks, c)
}

// readHost reads one of several servers that an SMTP_CHECK of old asks.
func readHost(w *walk, s *Statement, c *checker) {
	h := &checker{head: s}
	w.extra(s, 1)
	readBlock(w, s, h, joined(connection(), pacing()))
	c.hosts = append(c.hosts, h)
}

// sniName reads a name, without which enable_sni has the host's.
func sniName(w *walk, s *Statement, c *checker) {
	c.sni.take(s, true)
	if s.Arg(1) != "" {
		c.serverName.take(s, s.Words[1])
	}
	w.leaf(s, 2)
}

// readURL reads what an HTTP check asks for.
func readURL(w *walk, s *Statement, c *checker) {
	u := &url{head: s}
	w.extra(s, 1)
	readBlock(w, s, u, urlWords())
	if !u.path.given {
		w.skip(s, "it has no path, and keepalived passes over it as well")
		return
	}
	c.urls = append(c.urls, u)
}

// digest reads a digest by MD5.
func digest(w *walk, s *Statement, u *url) {
	d := strings.ToLower(s.Arg(1))
	if b, err := hex.DecodeString(d); err != nil || len(b) != 16 {
		w.refuse(s, "a digest of 32 hexadecimal digits")
		return
	}
	if u.digest.given {
		w.note(s, "there is a digest already, and keepalived passes over this one as well")
		return
	}
	u.digest.take(s, d)
	w.leaf(s, 2)
}

// statusCode reads codes and ranges of codes.
func statusCode(w *walk, s *Statement, u *url) {
	for _, word := range s.Args() {
		from, to, isRange := strings.Cut(word, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, wrong := strconv.Atoi(to)
		if err != nil || wrong != nil || first < 100 || last > 599 || first > last {
			w.loseText(importer.Note, s, word, "a status code is a number from 100 to 599, or a range of them, and keepalived passes over this one as well", "")
			continue
		}
		var code setting[string]
		code.take(s, word)
		u.status = append(u.status, code)
	}
	u.seen = append(u.seen, s.Place)
	w.drop(importer.Note, s)
}

// dnsType reads the type of a record.
func dnsType(w *walk, s *Statement, c *checker) {
	switch name := strings.ToUpper(s.Arg(1)); name {
	case "A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA":
		c.kind.take(s, name)
		w.leaf(s, 2)
	default:
		w.refuse(s, "A, NS, CNAME, SOA, MX, TXT or AAAA")
	}
}

// payload reads bytes in hexadecimal digits.
func payload(w *walk, s *Statement, c *checker) {
	b, err := hex.DecodeString(strings.Join(s.Args(), ""))
	if err != nil || len(b) == 0 {
		w.refuse(s, "bytes in hexadecimal digits")
		return
	}
	c.send.take(s, "hex:"+hex.EncodeToString(b))
}

// requireReply reads that there must be an answer, and perhaps what it begins with, in
// which x stands for any digit.
func requireReply(w *walk, s *Statement, c *checker) {
	c.reply.take(s, true)
	digits := strings.ToLower(strings.Join(s.Args(), ""))
	if digits == "" {
		return
	}
	if len(digits)%2 != 0 || strings.Trim(digits, "0123456789abcdefx") != "" {
		w.refuse(s, "bytes in hexadecimal digits, of which x is any")
		return
	}
	text := longestKnown(digits)
	switch {
	case text == "":
		w.lose(importer.Differs, s, "no byte of the answer is known for certain, so any answer passes", `Write expect { pattern = "…" } in the check block, an expression that it must match.`)
	case text == digits:
		c.answer.take(s, "hex:"+text)
		w.lose(importer.Differs, s, "keepalived wants the answer to begin with these bytes, and lvsd to have them anywhere", "")
	default:
		c.answer.take(s, "hex:"+text)
		w.lose(importer.Differs, s, "of an answer with any digits in it, only "+text+" is looked for, anywhere", `Write expect { pattern = "…" } in the check block, an expression that it must match.`)
	}
}

// longestKnown returns the longest part of an answer of whole bytes without any unknown digit.
func longestKnown(digits string) (longest string) {
	run := ""
	for i := 0; i < len(digits); i += 2 {
		if strings.Contains(digits[i:i+2], "x") {
			run = ""
			continue
		}
		if run += digits[i : i+2]; len(run) > len(longest) {
			longest = run
		}
	}
	return longest
}

// replyLength notes a bound on the length of an answer.
func replyLength(w *walk, s *Statement, _ *checker) {
	w.foreign(s)
}

// miscPath reads a program, behind which nothing counts. Whom it runs as may stand before it.
func miscPath(w *walk, s *Statement, c *checker) {
	p, ok := w.programOf(s, 0)
	if !ok {
		return
	}
	p.user, p.group = c.program.value.user, c.program.value.group
	c.program.take(s, p)
	w.drop(importer.Note, s)
}

// miscUser reads whom a program runs as.
func miscUser(w *walk, s *Statement, c *checker) {
	if s.Arg(1) == "" {
		w.refuse(s, "a user")
		return
	}
	c.program.value.user, c.program.value.group = s.Arg(1), s.Arg(2)
	c.program.from = append(c.program.from, s.Place)
	w.leaf(s, 3)
}

// weightOfFile reads what the number in a file is multiplied by.
func weightOfFile[T any](ref func(*T) *setting[fileWeight]) func(*walk, *Statement, *T) {
	return func(w *walk, s *Statement, t *T) {
		factor, ok := fileWeightOf(s)
		if !ok {
			w.refuse(s, "a whole number, behind which there may be reverse")
			return
		}
		ref(t).take(s, factor)
		w.leaf(s, 3)
	}
}

func fileWeightOf(s *Statement) (w fileWeight, ok bool) {
	n, err := strconv.ParseInt(s.Arg(1), 10, 64)
	w.factor, w.reverse = n, s.Arg(2) == "reverse"
	return w, err == nil && (s.Arg(2) == "" || w.reverse || s.Arg(2) == "noreverse")
}
