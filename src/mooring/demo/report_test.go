package demo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	. "github.com/onsi/gomega"
)

// good is a run that met every requirement.
var good = Report{
	CellsTotal: 6, CellsRolled: 6, MaxInterruptedAllowed: 1, MaxInterruptedSeen: 1, WritesAcknowledged: 1000,
	LongestUnavailableMS: 80, StuckFlagged: 1, StuckFlagDelayS: 0.1, ControlPlaneRestarts: 1, Seconds: 40,
}

func TestARunIsJudgedByEveryRequirement(t *testing.T) {
	NewWithT(t).Expect(good.Missed()).To(BeEmpty())
	for name, spoil := range map[string]func(*Report){
		"cells":         func(r *Report) { r.CellsRolled = 5 },
		"seen":          func(r *Report) { r.MaxInterruptedSeen = 2 },
		"not watched":   func(r *Report) { r.MaxInterruptedSeen = 0 },
		"violations":    func(r *Report) { r.PolicyViolations = 1 },
		"no writes":     func(r *Report) { r.WritesAcknowledged = 0 },
		"lost":          func(r *Report) { r.WritesLost = 1 },
		"wrong":         func(r *Report) { r.ReadsWrong = 1 },
		"failed":        func(r *Report) { r.RequestsFailed = 1 },
		"not flagged":   func(r *Report) { r.StuckFlagged = 0 },
		"flagged late":  func(r *Report) { r.StuckFlagDelayS = 2.1 },
		"not restarted": func(r *Report) { r.ControlPlaneRestarts = 0 },
		"slow":          func(r *Report) { r.Seconds = 181 },
	} {
		t.Run(name, func(t *testing.T) {
			run := good
			spoil(&run)
			NewWithT(t).Expect(run.Missed()).To(HaveLen(1))
		})
	}
}

func TestTheReportHasExactlyTheseFields(t *testing.T) {
	g := NewWithT(t)
	path := filepath.Join(t.TempDir(), "report.json")
	g.Expect(good.Write(path)).To(Succeed())
	content, err := os.ReadFile(path)
	g.Expect(err).NotTo(HaveOccurred())
	var fields map[string]float64
	g.Expect(json.Unmarshal(content, &fields)).To(Succeed())
	g.Expect(fields).To(Equal(map[string]float64{
		"cells_total": 6, "cells_rolled": 6, "max_interrupted_allowed": 1, "max_interrupted_seen": 1,
		"policy_violations": 0, "writes_acknowledged": 1000, "writes_lost": 0, "reads_wrong": 0,
		"requests_failed": 0, "longest_unavailable_ms": 80, "stuck_flagged": 1, "stuck_flag_delay_s": 0.1,
		"control_plane_restarts": 1, "seconds": 40,
	}))
	g.Expect(good.Write(filepath.Join(path, "nowhere"))).NotTo(Succeed())
}
