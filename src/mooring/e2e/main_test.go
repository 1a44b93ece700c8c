package e2e

import (
	"testing"

	"mooring/dev/devtest"
)

func TestMain(m *testing.M) { devtest.Main(m) }
