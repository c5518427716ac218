package integration

import (
	"testing"

	"github.com/lvsd/lvsd/integration/cluster"
)

func TestMain(m *testing.M) {
	cluster.Main()
	m.Run()
}
