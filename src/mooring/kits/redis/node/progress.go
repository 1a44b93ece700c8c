package node

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// Progress prints the lines of the handler protocol.
type Progress struct {
	Out     io.Writer
	reached float64
	printed map[string]bool
}

// report prints how much is done, between 0 and 1, and what. It never goes
// back and says nothing twice: standing still must look like standing still.
func (p *Progress) report(done float64, format string, args ...any) {
	p.reached = max(p.reached, math.Round(done*1000)/1000)
	line, err := json.Marshal(struct {
		Progress float64 `json:"progress"`
		Message  string  `json:"message"`
	}{p.reached, fmt.Sprintf(format, args...)})
	if err != nil || p.printed[string(line)] {
		return
	}
	if p.printed == nil {
		p.printed = map[string]bool{}
	}
	p.printed[string(line)] = true
	fmt.Fprintln(p.Out, string(line))
}
