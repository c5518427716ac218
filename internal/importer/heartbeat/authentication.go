package heartbeat

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/lvsd/lvsd/internal/importer"
)

// guarded makes the files of the keys, and tells what becomes of each.
func (w *walk) guarded(f File) {
	k := w.keys
	for _, one := range k.keys {
		switch {
		case one.method == "crc":
			w.lose(importer.Note, one.line, one.shown(), "it keeps nobody out, and adverts have a checksum anyway", "Give the directors a key: authentication in the virtual_router.")
		case !k.signs():
			w.lose(importer.Note, one.line, one.shown()+" …", "nothing is signed with it, as auth says", "")
		default:
			w.keep(one)
		}
	}
	if !k.signs() {
		w.note(k.auth, "adverts are not signed, as nothing was")
	}
	if f.Shared {
		w.lose(importer.Note, k.auth, f.Name, "others than its owner may read this file or write it, so that Heartbeat does not start with it, and its keys may be known", "Make a new key: openssl rand -hex 32")
	}
}

// keep makes the file of a key.
func (w *walk) keep(one key) {
	secret, reason := one.secret, "adverts are signed with this key by HMAC-SHA256"
	if n := len(secret); n < 32 || n > 64 || strings.HasPrefix(secret, "hex:") || strings.Trim(secret, printable) != "" {
		sum := sha256.Sum256([]byte(secret))
		secret, reason = "hex:"+hex.EncodeToString(sum[:]), "adverts are signed by HMAC-SHA256, whose keys have 32 to 64 bytes: the key is the SHA-256 of this one"
	}
	if one.method == "md5" {
		reason += "; MD5 is not used any more"
	}
	w.lose(importer.Note, one.line, one.shown()+" …", reason, "")
	w.Secret("heartbeat", "key"+strconv.Itoa(one.id), secret)
}

// printable are the characters of which a key may be.
var printable = func() string {
	var b strings.Builder
	for c := '!'; c <= '~'; c++ {
		b.WriteRune(c)
	}
	return b.String()
}()

// authentication adds the keys to a virtual router.
func (w *walk) authentication(b *importer.Block) {
	k := w.keys
	if !k.signs() {
		return
	}
	inner := b.Block("authentication").Of(k.auth.Place)
	// Neither do Heartbeat's nodes compare their clocks.
	inner.Set("replay", importer.String("order"))
	var signing []key
	for _, one := range k.keys {
		if one.method != "crc" {
			signing = append(signing, one)
		}
	}
	if len(signing) > 1 {
		inner.Set("signer", importer.Number(k.signer), k.auth.Place)
	}
	for _, one := range signing {
		path := "/etc/lvsd/heartbeat.key" + strconv.Itoa(one.id)
		inner.Block("key", strconv.Itoa(one.id)).Of(one.Place).Set("file", importer.String(path), one.Place)
	}
}
