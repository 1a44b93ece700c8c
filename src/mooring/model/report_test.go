package model_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/onsi/gomega"

	"mooring/model"
)

func TestReport_EveryFaultNamesItsFieldItsValueAndWhatToDo(t *testing.T) {
	g := NewWithT(t)
	report := model.Report{
		Instances: []model.ActualInstance{
			{AppGUID: "../..", Index: -1, State: "on fire", PID: -1, Disruption: &model.ActualDisruption{PermitID: "p\x1b", Progress: 2, Attempt: -1, Grace: -1}},
			{AppGUID: strings.Repeat("a", 900_000), GUID: "a/b"},
		},
		Volumes: []model.ActualVolume{{GUID: "v", Epoch: -1, Used: -1}, {GUID: "v", Class: "a b"}},
	}
	g.Expect(strings.Split(report.Validate().Error(), "\n")).To(Equal([]string{
		`instances[0].app_guid: "../.." is not an identity; use 1 to 128 letters, digits, '.', '-' and '_', beginning with a letter or digit`,
		`instances[0].index: is -1; indexes go from 0 to 9999`,
		`instances[0].state: is "on fire"; use a word of at most 63 letters, digits and '-'`,
		`instances[0].pid: is -1; it cannot be less than 0`,
		`instances[0].disruption.permit_id: holds the control character \u001b at byte 1; leave it out`,
		`instances[0].disruption.attempt: is -1; it cannot be less than 0`,
		`instances[0].disruption.progress: is 2; it lies between 0 and 1, or is -1 before any`,
		`instances[0].disruption.grace: is -1ns; it cannot be less than no time`,
		`instances[1].app_guid: "` + strings.Repeat("a", 52) + ` … (899948 bytes left out)" is not an identity; use 1 to 128 letters, digits, '.', '-' and '_', beginning with a letter or digit`,
		`instances[1].guid: "a/b" is not an identity; use 1 to 128 letters, digits, '.', '-' and '_', beginning with a letter or digit`,
		`volumes[0].epoch: is -1; it cannot be less than 0`,
		`volumes[0].used: is less than nothing`,
		`volumes[1].class: is "a b"; use a word of at most 63 letters, digits and '-'`,
		`volumes[1].guid: is there twice; report each volume once`,
	}))
	g.Expect((&model.Report{Volumes: make([]model.ActualVolume, 15_000)}).Validate()).To(MatchError("volumes: are 15000; a cell reports at most 8000"))
	g.Expect((&model.Report{Instances: make([]model.ActualInstance, 5_000)}).Validate()).To(MatchError("instances: are 5000; a cell reports at most 4000"))
	g.Expect((&model.Report{
		Instances: []model.ActualInstance{{AppGUID: "0b1f-4", State: model.Blocked, Error: "\x1b is what an app printed"}},
		Volumes:   []model.ActualVolume{{GUID: "v-1", Class: "persistent", State: "of-a-newer-cell"}},
	}).Validate()).To(Succeed())
}

func FuzzReport(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"boot":"b","start":"s","instances":[{"app_guid":"app","index":0,"state":"serving","output":["a","b"]}]}`,
		`{"instances":[{"app_guid":"../..","index":-1}]}`, `{"volumes":[{"guid":"v","epoch":-1,"used":"-1G"}]}`,
		`{"instances":[{"app_guid":"a","error":"\u001b[2J\u202e","disruption":{"permit_id":"p","progress":1e300,"output":["\u009b"]}}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var report model.Report
		if json.Unmarshal(body, &report) != nil || report.Validate() != nil {
			return
		}
		for _, actual := range report.Instances {
			bounded := actual.Bounded()
			texts := append([]string{bounded.Error, bounded.LastExit, bounded.GUID, bounded.AppGUID, string(bounded.State)}, bounded.Output...)
			if d := bounded.Disruption; d != nil {
				texts = append(append(texts, d.PermitID, d.Message, d.Error, d.CancelError), d.Output...)
			}
			for _, text := range texts {
				if err := model.CheckText(text, model.MaxLine); err != nil {
					t.Errorf("%s keeps %q, which %v", body, text, err)
				}
			}
			if key := bounded.Key(); strings.Count(key, "/") != 3 || strings.Contains(key, "..//") {
				t.Errorf("%s is kept as %s", body, key)
			}
		}
	})
}
