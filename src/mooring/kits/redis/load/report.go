package load

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Report is how the load fared.
type Report struct {
	WritesAcknowledged int64 `json:"writes_acknowledged"`
	WritesLost         int64 `json:"writes_lost"`
	ReadsDone          int64 `json:"reads_done"`
	ReadsWrong         int64 `json:"reads_wrong"`
	RequestsFailed     int64 `json:"requests_failed"`
	// LongestUnavailable is the longest any shard went without a successful
	// write, or without a successful read.
	LongestUnavailable time.Duration `json:"longest_unavailable_ns"`
	Shards             []ShardReport `json:"shards"`
	// Faults are the first of what was lost, wrong or failed.
	Faults []string `json:"faults,omitempty"`
}

// ShardReport is how the requests to one shard fared: the longest times
// without a success, and when they began.
type ShardReport struct {
	LongestWithoutWrite time.Duration `json:"longest_without_write_ns"`
	WithoutWriteFrom    time.Time     `json:"without_write_from"`
	LongestWithoutRead  time.Duration `json:"longest_without_read_ns"`
	WithoutReadFrom     time.Time     `json:"without_read_from"`
}

// Report gives the figures so far; WritesLost is known after Verify.
func (l *Load) Report() Report {
	report := Report{
		WritesAcknowledged: l.acknowledged.Load(), ReadsDone: l.reads.Load(),
		ReadsWrong: l.wrong.Load(), RequestsFailed: l.failed.Load(),
	}
	for _, shard := range l.shards {
		var one ShardReport
		one.LongestWithoutWrite, one.WithoutWriteFrom = shard.writes.worst()
		one.LongestWithoutRead, one.WithoutReadFrom = shard.reads.worst()
		report.Shards = append(report.Shards, one)
		report.LongestUnavailable = max(report.LongestUnavailable, one.LongestWithoutWrite, one.LongestWithoutRead)
	}
	l.faultLock.Lock()
	defer l.faultLock.Unlock()
	report.Faults = append(report.Faults, l.faults...)
	return report
}

// Verify asks the cluster for every acknowledged write and gives the final
// report. Call it after Stop. An error means that the cluster could not be
// asked before the context ended.
func (l *Load) Verify(ctx context.Context) (Report, error) {
	var lost int64
	for _, shard := range l.shards {
		for _, k := range shard.keys {
			found, err := l.versions(ctx, k)
			if err != nil {
				return l.Report(), err
			}
			for v, text := range found {
				if v < 1 || v > k.issued.Load() || text != k.value(v) {
					l.wrong.Add(1)
					l.fault("wrong content: %s has %q as version %d", k.name, text, v)
				}
			}
			for _, v := range k.acknowledged() {
				if found[v] != k.value(v) {
					lost++
					l.fault("lost write: %s version %d, found %q", k.name, v, found[v])
				}
			}
		}
	}
	report := l.Report()
	report.WritesLost = lost
	return report, nil
}

// versions reads everything that a key holds.
func (l *Load) versions(ctx context.Context, k *key) (map[int64]string, error) {
	const page = 1000
	found := map[int64]string{}
	for from := "-"; ; {
		var entries []redis.XMessage
		var last error
		if !l.retry(ctx, "verification", k.name, func() (err error) {
			entries, err = l.cluster.XRangeN(ctx, k.name, from, "+", page).Result()
			last = err
			return err
		}) {
			return nil, fmt.Errorf("verifying %s: %w", k.name, last)
		}
		for _, entry := range entries {
			text, _ := entry.Values["v"].(string)
			found[versionOf(entry.ID)] = text
			from = "(" + entry.ID
		}
		if len(entries) < page {
			return found, nil
		}
	}
}
