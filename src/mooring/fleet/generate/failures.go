package generate

import (
	"math/rand/v2"

	"mooring/fleet"
)

// Break makes one cell in a hundred fail, at least one, at some moment of the
// time until and for 10 to 60 minutes.
func Break(f *fleet.Fleet, until float64, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x627265616b))
	f.Failures = nil
	for range max(1, len(f.Cells)/100) {
		f.Failures = append(f.Failures, fleet.Failure{
			Cell: f.Cells[r.IntN(len(f.Cells))].ID, At: round(r.Float64() * until), For: round(600 + r.Float64()*3000),
		})
	}
}
