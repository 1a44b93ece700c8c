package load

import "time"

// Config says how much load there is. Zero fields take the values in brackets.
type Config struct {
	// Addresses are host:port of some nodes.
	Addresses []string
	// Prefix begins every key. Two loads at one cluster need different ones.
	Prefix string // [load]
	// KeysPerShard, WritersPerShard and ReadersPerShard: each worker keeps to
	// one shard, so that one that is unavailable does not hold up the others.
	KeysPerShard    int // [32]
	WritersPerShard int // [2]
	ReadersPerShard int // [2]
	// Pause is how long a worker rests between requests.
	Pause time.Duration // [5ms]
	// GiveUp is how long a request is retried before it counts as failed.
	GiveUp time.Duration // [30s]
}

func (c Config) withDefaults() Config {
	for _, field := range []struct {
		value *int
		or    int
	}{{&c.KeysPerShard, 32}, {&c.WritersPerShard, 2}, {&c.ReadersPerShard, 2}} {
		if *field.value <= 0 {
			*field.value = field.or
		}
	}
	if c.Prefix == "" {
		c.Prefix = "load"
	}
	if c.Pause <= 0 {
		c.Pause = 5 * time.Millisecond
	}
	if c.GiveUp <= 0 {
		c.GiveUp = 30 * time.Second
	}
	return c
}
