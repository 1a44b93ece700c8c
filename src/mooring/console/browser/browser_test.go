package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a page may take to show what a test waits for.
const patience = 60 * time.Second

// page is one tab of a browser.
type page struct {
	t   *testing.T
	ctx context.Context
}

// openPage starts a browser of its own and opens a page in it. What the page's
// scripts complain of fails the test.
func openPage(t *testing.T, url string) *page {
	t.Helper()
	executable := chromium(t)
	// A temporary directory of the test would be removed while the browser
	// still writes.
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(executable), chromedp.UserDataDir(profile), chromedp.WindowSize(1440, 960),
		chromedp.Flag("headless", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	if os.Geteuid() == 0 { // its sandbox refuses to run as root
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until the browser has ended
		closeTab()
		stop()
		_ = os.RemoveAll(profile)
	})
	p := &page{t: t, ctx: ctx}
	// The first run starts the browser, which lives as long as its context.
	p.must("start chromium", chromedp.Do(ctx))
	p.must("listen to the page", chromedp.Listen(ctx, func(event any) {
		if thrown, ok := event.(*runtime.EventExceptionThrown); ok {
			details := thrown.ExceptionDetails
			t.Errorf("the page's scripts failed at %s:%d: %s", details.URL, details.LineNumber+1, details.Exception.Description)
		}
	}))
	p.dark(false)
	p.run("open "+url, chromedp.Navigate(url))
	return p
}

// chromium finds the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if executable, err := exec.LookPath(name); err == nil {
			return executable
		}
	}
	t.Skip("no chromium on PATH: install Debian's package chromium to run the tests in a browser")
	return ""
}

func (p *page) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.screenshot("failed")
		p.t.Fatalf("%s: %v", what, err)
	}
}

// run does things on the page.
func (p *page) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	p.must(what, chromedp.Do(ctx, steps...))
}

// eval gives the value of an expression.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	p.must(expression, err)
	return value
}

// await waits until an expression is true, looking once a frame.
func (p *page) await(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(0)))
	if err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		p.t.Logf("the page says:\n%s", text)
	}
	p.must("wait for "+expression, err)
}

// text gives the text of what a selector finds first.
func (p *page) text(selector string) string {
	p.t.Helper()
	return eval[string](p, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector))
}

// dark changes between light and dark.
func (p *page) dark(on bool) {
	p.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	p.must("colours: "+scheme, err)
}

// screenshot keeps what is to be seen, when that is wanted.
func (p *page) screenshot(name string) {
	p.t.Helper()
	if os.Getenv("MOORING_SCREENSHOTS") == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	// What is beyond the window is not drawn otherwise.
	const drawAll = `(document.querySelectorAll(".zone").forEach((zone) => { zone.style.contentVisibility = %q; }), true)`
	eval[bool](p, fmt.Sprintf(drawAll, "visible"))
	defer eval[bool](p, fmt.Sprintf(drawAll, ""))
	image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Logf("screenshot %s: %v", name, err)
		return
	}
	dir := filepath.Join("..", "..", "..", "..", "out", "screenshots")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), image, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// press presses a key.
func (p *page) press(key string) {
	p.t.Helper()
	code := map[string]string{"ArrowRight": kb.ArrowRight, "Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab}[key]
	if code == "" {
		code = key
	}
	p.run("press "+key, chromedp.KeyEvent(code))
}

// keys types text where the focus is.
func (p *page) keys(text string) {
	p.t.Helper()
	p.run("type "+text, chromedp.KeyEvent(text))
}

// fill types into a field, in place of what it held.
func (p *page) fill(selector, text string) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(document.querySelector(%q).select(), true)`, selector))
	p.run("fill "+selector, chromedp.SendKeys(selector, text))
}
