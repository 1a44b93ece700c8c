package watch

import (
	"context"
	"sync"
	"time"
)

// Config says what is watched, and how closely. Zero durations take the values
// in brackets.
type Config struct {
	// Addresses gives host:port of each node by its index, as of now.
	Addresses func() map[int]string
	// Interval is the pause between two looks at a node.
	Interval time.Duration // [10ms]
	// Silence is how long a node may take to answer.
	Silence time.Duration // [1s]
}

// Watcher watches until it is stopped.
type Watcher struct {
	config Config
	cancel context.CancelFunc
	done   sync.WaitGroup

	lock  sync.Mutex
	from  time.Time
	nodes map[int]*watched
}

// watched is what was seen of one node.
type watched struct {
	spans []Span
	down  bool // the last span has not ended
}

// Start begins to watch the nodes that there are now. The indexes stay the
// same; their addresses may change.
func Start(ctx context.Context, config Config) *Watcher {
	if config.Interval <= 0 {
		config.Interval = 10 * time.Millisecond
	}
	if config.Silence <= 0 {
		config.Silence = time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Watcher{config: config, cancel: cancel, from: time.Now(), nodes: map[int]*watched{}}
	for index := range config.Addresses() {
		w.nodes[index] = &watched{}
	}
	// From here on the map is only read; each follower has its own entry.
	for index := range w.nodes {
		w.done.Go(func() { w.follow(ctx, index) })
	}
	return w
}

// Stop ends watching and gives what was seen.
func (w *Watcher) Stop() Timeline {
	w.cancel()
	w.done.Wait()
	return w.Timeline()
}

// Timeline gives what was seen so far; spans that have not ended end now.
func (w *Watcher) Timeline() Timeline {
	w.lock.Lock()
	defer w.lock.Unlock()
	t := Timeline{From: w.from, To: time.Now()}
	for index, node := range w.nodes {
		t.Indexes = append(t.Indexes, index)
		for i, span := range node.spans {
			span.Causes = append([]string(nil), span.Causes...)
			if i == len(node.spans)-1 && node.down {
				span.To = t.To
			}
			t.Spans = append(t.Spans, span)
		}
	}
	t.sort()
	return t
}

// follow looks at one node again and again.
func (w *Watcher) follow(ctx context.Context, index int) {
	var at *probe
	defer func() { at.close() }()
	for ctx.Err() == nil {
		address := w.config.Addresses()[index]
		if at == nil || at.address != address {
			at.close()
			at = &probe{address: address, silence: w.config.Silence}
		}
		asked := time.Now()
		cause := at.look()
		if ctx.Err() != nil {
			return
		}
		w.note(index, asked, time.Now(), cause)
		timer := time.NewTimer(w.config.Interval)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// note writes down one look. A node does not serve from the asking of the
// first bad answer to the arrival of the first good one.
func (w *Watcher) note(index int, asked, answered time.Time, cause string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	node := w.nodes[index]
	switch {
	case cause == "" && node.down:
		node.spans[len(node.spans)-1].To = answered
		node.down = false
	case cause != "" && !node.down:
		node.spans = append(node.spans, Span{Index: index, From: asked, Causes: []string{cause}})
		node.down = true
	case cause != "":
		span := &node.spans[len(node.spans)-1]
		if span.Causes[len(span.Causes)-1] != cause {
			span.Causes = append(span.Causes, cause)
		}
	}
}
