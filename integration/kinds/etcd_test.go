package kinds

import (
	"os/exec"

	"github.com/lvsd/lvsd/checker"
)

func init() {
	register(server{
		name: "etcd, by gRPC", port: 2379,
		start: func(at *site) *exec.Cmd {
			return at.command("etcd", "--data-dir", "$DIR/data", "--name", "one", "--initial-cluster", "one=http://$ADDR:2380",
				"--listen-client-urls", "http://$ADDR:2379", "--advertise-client-urls", "http://$ADDR:2379",
				"--listen-peer-urls", "http://$ADDR:2380", "--initial-advertise-peer-urls", "http://$ADDR:2380")
		},
		passes: func(*site) checker.Options { return checker.GRPC{} },
		rows: func(*site) []row {
			return []row{
				{"a service that it does not know", checker.GRPC{Service: "orders"}, checker.Failed, `the server does not know the service "orders" (NOT_FOUND: "unknown service")`},
				{"TLS, which it does not speak", checker.GRPC{TLS: &checker.TLS{}}, checker.Failed, "TLS"},
				{"its health for people", checker.HTTP{Path: "/health", Body: `"health":"true"`}, checker.Passed, ""},
			}
		},
		hung: "timeout after 500ms while reading the response header",
	})
}
