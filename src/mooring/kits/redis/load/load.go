package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Load is a running load.
type Load struct {
	config  Config
	cluster *redis.ClusterClient
	shards  []*shard
	cancel  context.CancelFunc
	workers sync.WaitGroup

	acknowledged, reads, wrong, failed atomic.Int64

	faultLock sync.Mutex
	faults    []string
}

// Start connects and begins. The cluster must have all its slots.
func Start(ctx context.Context, config Config) (*Load, error) {
	l := &Load{config: config.withDefaults(), cluster: redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: config.Addresses, Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DialTimeout:              time.Second, ReadTimeout: 3 * time.Second, WriteTimeout: 3 * time.Second,
		// After as many failures to connect as its pool is large the client tries
		// once a second only; that would make every outage look longer.
		PoolSize: 4096, DialerRetries: 1,
		MinRetryBackoff: 4 * time.Millisecond, MaxRetryBackoff: 50 * time.Millisecond,
	})}
	if err := l.chooseKeys(ctx); err != nil {
		l.cluster.Close()
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	l.cancel = cancel
	now := time.Now()
	for _, shard := range l.shards {
		shard.writes.start(now)
		shard.reads.start(now)
		for _, own := range deal(shard.keys, l.config.WritersPerShard) {
			l.workers.Go(func() { l.write(running, shard, own) })
		}
		for range l.config.ReadersPerShard {
			l.workers.Go(func() { l.read(running, shard) })
		}
	}
	return l, nil
}

// Stop ends the writes and reads; what is under way is waited for. It does not
// end the connection: Verify needs it.
func (l *Load) Stop() {
	l.cancel()
	l.workers.Wait()
}

// Close ends the connection.
func (l *Load) Close() error { return l.cluster.Close() }

// chooseKeys finds the same number of keys for each shard of today.
func (l *Load) chooseKeys(ctx context.Context) error {
	shards, err := l.cluster.ClusterShards(ctx).Result()
	if err != nil {
		return fmt.Errorf("asking the cluster at %v for its shards: %w", l.config.Addresses, err)
	}
	of := map[int]*shard{}
	for _, owner := range shards {
		if len(owner.Slots) == 0 {
			continue // it has handed everything over
		}
		own := &shard{}
		l.shards = append(l.shards, own)
		for _, r := range owner.Slots {
			for slot := r.Start; slot <= r.End; slot++ {
				of[int(slot)] = own
			}
		}
	}
	if len(of) != 16384 {
		return fmt.Errorf("the cluster at %v serves %d of 16384 slots", l.config.Addresses, len(of))
	}
	missing := len(l.shards) * l.config.KeysPerShard
	for n := 0; missing > 0; n++ {
		name := fmt.Sprintf("%s:%d", l.config.Prefix, n)
		if shard := of[slotOf(name)]; len(shard.keys) < l.config.KeysPerShard {
			shard.keys = append(shard.keys, &key{name: name})
			missing--
		}
	}
	return nil
}

// deal gives each key to one of n writers.
func deal(keys []*key, n int) [][]*key {
	hands := make([][]*key, min(n, len(keys)))
	for i, k := range keys {
		hands[i%len(hands)] = append(hands[i%len(hands)], k)
	}
	return hands
}

// write keeps adding versions to keys that are the worker's own.
func (l *Load) write(ctx context.Context, shard *shard, own []*key) {
	for turn := 0; ctx.Err() == nil; turn++ {
		k := own[turn%len(own)]
		v := k.issued.Add(1)
		if l.retry(ctx, "write", k.name, func() error { return l.append(ctx, k, v) }) {
			k.acked.Store(v)
			l.acknowledged.Add(1)
			shard.writes.succeeded(time.Now())
		} else {
			k.abandon(v)
		}
		rest(ctx, l.config.Pause)
	}
}

// append writes one version. That the server has it already is as good as OK:
// an earlier attempt was carried out and its answer lost.
func (l *Load) append(ctx context.Context, k *key, v int64) error {
	err := l.cluster.XAdd(ctx, &redis.XAddArgs{Stream: k.name, ID: entryID(v), Values: []string{"v", k.value(v)}}).Err()
	if err != nil && strings.Contains(err.Error(), "equal or smaller") {
		return nil
	}
	return err
}

// read keeps asking for the newest version of random keys.
func (l *Load) read(ctx context.Context, shard *shard) {
	for ctx.Err() == nil {
		k := shard.keys[rand.IntN(len(shard.keys))]
		var (
			least  int64
			newest []redis.XMessage
		)
		served := l.retry(ctx, "read", k.name, func() (err error) {
			least = k.acked.Load() // what was acknowledged before the read begins
			newest, err = l.cluster.XRevRangeN(ctx, k.name, "+", "-", 1).Result()
			return err
		})
		if served {
			l.reads.Add(1)
			shard.reads.succeeded(time.Now())
			if fault := judge(k, newest, least, k.issued.Load()); fault != "" {
				l.wrong.Add(1)
				l.fault("wrong read: %s", fault)
			}
		}
		rest(ctx, l.config.Pause)
	}
}

// judge says what is wrong with an answer, "" when nothing is.
func judge(k *key, newest []redis.XMessage, least, most int64) string {
	var got int64
	if len(newest) > 0 {
		got = versionOf(newest[0].ID)
		if newest[0].Values["v"] != k.value(got) {
			return fmt.Sprintf("%s has %v as version %d", k.name, newest[0].Values["v"], got)
		}
	}
	switch {
	case got < least:
		return fmt.Sprintf("%s has version %d, %d was acknowledged before", k.name, got, least)
	case got > most:
		return fmt.Sprintf("%s has version %d, only %d was ever written", k.name, got, most)
	}
	return ""
}

// retry calls try until it succeeds. It reports false when ctx ended first or
// the request failed for good.
func (l *Load) retry(ctx context.Context, what, name string, try func() error) bool {
	begun := time.Now()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		err := try()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if time.Since(begun) > l.config.GiveUp {
			l.failed.Add(1)
			l.fault("failed %s of %s for %s: %v", what, name, time.Since(begun).Round(time.Millisecond), err)
			return false
		}
		if errors.Is(err, redis.ErrClosed) {
			return false
		}
		rest(ctx, wait)
	}
}

// fault remembers the first faults for people.
func (l *Load) fault(format string, args ...any) {
	l.faultLock.Lock()
	defer l.faultLock.Unlock()
	if len(l.faults) < 20 {
		l.faults = append(l.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
