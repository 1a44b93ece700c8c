package browser

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// task is one piece of work of a browser's thread: a frame, a script, a timer.
type task struct {
	Name string
	Pid  int
	Tid  int
	// Dur is how long it took in µs, Tdur how much of that it had the processor.
	Dur, Tdur float64
}

// longestTask does something while the browser keeps a trace, and gives how
// long at most the page's thread was kept busy by one task. A machine that is
// busy with other things makes it take longer, but not use more of the
// processor.
func (p *page) longestTask(during func()) (processor, elapsed time.Duration) {
	p.t.Helper()
	var mu sync.Mutex
	var tasks []task
	pages := map[[2]int]bool{} // threads that drew frames
	complete := make(chan struct{})
	end := sync.OnceFunc(func() { close(complete) })
	p.must("listen to the trace", chromedp.Listen(p.ctx, func(event any) {
		switch said := event.(type) {
		case *tracing.EventDataCollected:
			mu.Lock()
			defer mu.Unlock()
			for _, value := range said.Value {
				var one task
				if json.Unmarshal(value, &one) != nil {
					continue // values of other shapes are of no use here
				}
				switch one.Name {
				case "FireAnimationFrame":
					pages[[2]int{one.Pid, one.Tid}] = true
				case "ThreadControllerImpl::RunTask":
					tasks = append(tasks, one)
				}
			}
		case *tracing.EventTracingComplete:
			end()
		}
	}))
	_, err := chromedp.Call(p.ctx, tracing.Start, tracing.StartParams{
		TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "devtools.timeline"}},
	})
	p.must("begin a trace", err)
	during()
	_, err = chromedp.Call(p.ctx, tracing.End, struct{}{})
	p.must("end a trace", err)
	select {
	case <-complete:
	case <-time.After(patience):
		p.t.Fatal("the trace did not end")
	}
	mu.Lock()
	defer mu.Unlock()
	for _, one := range tasks {
		if pages[[2]int{one.Pid, one.Tid}] {
			processor = max(processor, time.Duration(one.Tdur)*time.Microsecond)
			elapsed = max(elapsed, time.Duration(one.Dur)*time.Microsecond)
		}
	}
	if processor == 0 {
		p.t.Fatal("the trace holds no task of the page")
	}
	return processor, elapsed
}
