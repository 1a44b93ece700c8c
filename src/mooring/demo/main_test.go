package demo

import (
	"testing"

	"mooring/kits/redis/nodetest"
)

func TestMain(m *testing.M) { nodetest.Main(m) }
