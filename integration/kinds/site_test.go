package kinds

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lvsd/lvsd/checker/probe"
)

// A site is where a server runs: a folder and an address of its own, until the end of
// the test.
type site struct {
	t      *testing.T
	dir    string
	addr   netip.Addr
	prober *probe.Prober
	logs   []string
	done   chan struct{} // closed when the server has ended
	end    func()        // ends it
}

// newSite returns a site whose address is one of 127.0.0.0/8 by chance, so that a
// server can have its usual port.
func newSite(t *testing.T) *site {
	var b [3]byte
	rand.Read(b[:])
	dir, err := os.MkdirTemp("", "kind-") // t.TempDir is too long for some paths of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	return &site{
		t: t, dir: dir, prober: newProber(), logs: []string{filepath.Join(dir, "output")}, end: func() {},
		addr: netip.AddrFrom4([4]byte{127, b[0]%254 + 1, b[1], b[2]%254 + 1}),
	}
}

// path is that of a file in the site's folder.
func (at *site) path(name string) string { return filepath.Join(at.dir, name) }

// text puts the folder and the address in the place of $DIR and $ADDR.
func (at *site) text(s string) string {
	return strings.NewReplacer("$DIR", at.dir, "$ADDR", at.addr.String()).Replace(s)
}

// write writes a file, with the folder and the address in it, and returns its path.
func (at *site) write(name, text string) string {
	at.t.Helper()
	path := at.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		at.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(at.text(text)), 0o644); err != nil {
		at.t.Fatal(err)
	}
	return path
}

// secret writes a file that only its owner can read, such as a password's, and returns
// its path. It is in a folder of its own: who is given the site's folder could replace it.
func (at *site) secret(name, text string) string {
	at.t.Helper()
	dir, err := os.MkdirTemp("", "secret-")
	if err != nil {
		at.t.Fatal(err)
	}
	at.t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(at.text(text)), 0o600); err != nil {
		at.t.Fatal(err)
	}
	return path
}

// watch adds a file, below the site's folder, to what the server tells.
func (at *site) watch(name string) { at.logs = append(at.logs, at.path(name)) }

// command returns a command with the folder and the address in its arguments.
func (at *site) command(name string, arguments ...string) *exec.Cmd {
	for i, a := range arguments {
		arguments[i] = at.text(a)
	}
	if !strings.Contains(name, "/") {
		if _, err := exec.LookPath(name); err != nil {
			name = "/usr/sbin/" + name
		}
	}
	c := exec.Command(name, arguments...)
	c.Dir = at.dir
	return c
}

// as makes a command run as another user, who gets the site's folder.
func (at *site) as(name string, c *exec.Cmd) *exec.Cmd {
	at.t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		return c // Its package is not installed, nor is the command.
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	filepath.WalkDir(at.dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, uid, gid)
		}
		return err
	})
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return c
}

// must runs a command to its end.
func (at *site) must(c *exec.Cmd) string {
	at.t.Helper()
	if _, err := exec.LookPath(c.Path); err != nil && !*all {
		at.t.Skip(err)
	}
	out, err := c.CombinedOutput()
	if err != nil {
		at.t.Fatalf("%v: %v\n%s", c.Args, err, out)
	}
	return string(out)
}

// run starts the server in a process group of its own, and ends all of that with the
// test.
func (at *site) run(c *exec.Cmd) *os.Process {
	at.t.Helper()
	log, err := os.Create(at.logs[0])
	if err != nil {
		at.t.Fatal(err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	if err := c.Start(); err != nil {
		at.t.Fatal(err)
	}
	at.done = make(chan struct{})
	go func() {
		c.Wait()
		close(at.done)
	}()
	at.end = sync.OnceFunc(func() {
		unix.Kill(-c.Process.Pid, unix.SIGTERM)
		select {
		case <-at.done:
		case <-time.After(10 * time.Second):
		}
		unix.Kill(-c.Process.Pid, unix.SIGKILL)
		<-at.done
	})
	at.t.Cleanup(func() {
		at.end()
		if at.t.Failed() {
			at.t.Logf("%v:\n%s", c.Args, at.told())
		}
	})
	return c.Process
}

// ended reports whether the server has ended.
func (at *site) ended() bool {
	select {
	case <-at.done:
		return true
	default:
		return false
	}
}

// told returns what the server has written.
func (at *site) told() string {
	var all strings.Builder
	for _, path := range at.logs {
		text, _ := os.ReadFile(path)
		all.Write(text)
	}
	return all.String()
}

// certificate writes a certificate for the site's address and the name
// server.example, and its key. It returns their paths; the certificate is its own
// authority.
func (at *site) certificate() (certificate, key string) {
	at.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		at.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"server.example"}, IPAddresses: []net.IP{at.addr.AsSlice()},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		at.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		at.t.Fatal(err)
	}
	certificate = at.write("certificate.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return certificate, at.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
}
