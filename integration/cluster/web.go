package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// webConfig makes nginx one process without helpers, so that a signal to it is
// one to the whole server. It answers everything with the host's name.
const webConfig = `daemon off;
master_process off;
pid %[2]s/nginx.pid;
error_log stderr;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path %[2]s/body;
  proxy_temp_path %[2]s/proxy;
  fastcgi_temp_path %[2]s/fastcgi;
  uwsgi_temp_path %[2]s/uwsgi;
  scgi_temp_path %[2]s/scgi;
  server {
    listen 80;
    listen [::]:80;
    default_type text/plain;
    location / { return 200 "%[1]s\n"; }
    location = %[3]s { root %[2]s; limit_rate %[4]s; }
  }
}
`

// StartWeb starts nginx on the host and waits until it answers. Its pages are
// the host's name.
func StartWeb(h *Host) (*Process, error) {
	path := filepath.Join(h.Dir, "nginx.conf")
	if err := writeDownload(h); err != nil {
		return nil, fmt.Errorf("writing the download of %s: %w", h.Name, err)
	}
	if err := os.WriteFile(path, fmt.Appendf(nil, webConfig, h.Name, h.Dir, downloadPath, downloadRate), 0o644); err != nil {
		return nil, fmt.Errorf("configuring nginx on %s: %w", h.Name, err)
	}
	p, err := h.Start("nginx", "nginx", "-e", "stderr", "-c", path)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	to := netip.MustParseAddrPort("127.0.0.1:80")
	err = Until(ctx, "nginx on "+h.Name, func() (bool, error) {
		return Get(h, to, time.Second).Err == nil, p.Ended()
	})
	return p, err
}

// StartWebs starts nginx on every server of the cluster.
func (c *Cluster) StartWebs() ([]*Process, error) {
	webs := make([]*Process, len(c.Servers))
	for i, s := range c.Servers {
		p, err := StartWeb(s)
		if err != nil {
			return nil, fmt.Errorf("starting the web servers: %w", err)
		}
		webs[i] = p
	}
	return webs, nil
}
