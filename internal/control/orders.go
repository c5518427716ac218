package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/user"
	"strconv"
	"time"

	"github.com/lvsd/lvsd/internal/api"
)

// serveOrder gives an order, which is the request's body, in the name of whoever has
// sent it, and answers with what became of it.
func serveOrder[T, A any](order func(context.Context, api.User, T) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// An error is one of a connection that has no deadlines.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(orderTimeout))
		var o T
		if err := decodeBody(w, r, maxHeader, &o); err != nil {
			writeJSON(w, http.StatusBadRequest, failure{"reading the order: " + err.Error()})
			return
		}
		by, err := userOf(r)
		if err != nil {
			writeJSON(w, http.StatusForbidden, failure{err.Error()})
			return
		}
		serveJSON(func(ctx context.Context) (A, error) { return order(ctx, by, o) })(w, r)
	}
}

// serveQuestion answers a question, which is the request's body of so many bytes at most.
func serveQuestion[Q, A any](most int64, answer func(context.Context, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// An error is one of a connection that has no deadlines.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(reloadTimeout))
		var q Q
		if err := decodeBody(w, r, most, &q); err != nil {
			writeJSON(w, http.StatusBadRequest, failure{"reading the question: " + err.Error()})
			return
		}
		serveJSON(func(ctx context.Context) (A, error) { return answer(ctx, q) })(w, r)
	}
}

// decodeBody decodes a request's body of so many bytes at most, in which nothing unknown
// may be: an order is not carried out in part.
func decodeBody(w http.ResponseWriter, r *http.Request, most int64, v any) error {
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	body.DisallowUnknownFields()
	return body.Decode(v)
}

// userOf returns who has sent a request, as the kernel says: whoever opened the
// connection. That it is root or of the socket's group, the socket's mode ensures.
func userOf(r *http.Request) (api.User, error) {
	conn, ok := r.Context().Value(connKey{}).(*net.UnixConn)
	if !ok {
		return api.User{}, fmt.Errorf("orders are taken on the control socket alone")
	}
	peer, err := Peer(conn)
	if err != nil {
		return api.User{}, fmt.Errorf("asking the kernel who gives this order: %w", err)
	}
	by := api.User{UID: peer.Uid}
	if u, err := user.LookupId(strconv.FormatUint(uint64(peer.Uid), 10)); err == nil {
		by.Name = u.Username
	}
	return by, nil
}
