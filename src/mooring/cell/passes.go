package cell

import (
	"crypto/sha256"
	"sync"

	"mooring/model"
)

// passes are the tokens of the instances that run: each is good for its own
// app. Tokens are kept by their hash, so that how long a look-up takes says
// nothing about them.
type passes struct {
	mu   sync.Mutex
	apps map[[sha256.Size]byte]model.Name
}

func newPasses() *passes { return &passes{apps: map[[sha256.Size]byte]model.Name{}} }

// give makes a token good for an app; "" is none.
func (p *passes) give(token string, app model.Name) {
	if token == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apps[sha256.Sum256([]byte(token))] = app
}

// revoke makes a token worthless.
func (p *passes) revoke(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.apps, sha256.Sum256([]byte(token)))
}

// app gives the app that a token is good for.
func (p *passes) app(token string) (model.Name, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	app, found := p.apps[sha256.Sum256([]byte(token))]
	return app, found
}
