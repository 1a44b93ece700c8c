package orchestrator

import (
	"testing"

	"mooring/state/statetest"
)

func TestMain(m *testing.M) { statetest.Main(m) }
