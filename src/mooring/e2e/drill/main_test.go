package drill

import (
	"testing"

	"mooring/dev/devtest"
)

func TestMain(m *testing.M) { devtest.Main(m) }
