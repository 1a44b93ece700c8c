package console

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"mooring/access"
	"mooring/identity"
)

//go:embed signin.html
var signInText string

var signInPage = template.Must(template.New("signin").Parse(signInText))

// longestCookie is what every browser keeps, in bytes, less room for the name.
const longestCookie = 4000

// SignIn gives who holds a token.
type SignIn func(r *http.Request, token string) (*access.Actor, error)

// form shows the form for signing in.
func (c *console) form(w http.ResponseWriter, _ *http.Request) { showForm(w, http.StatusOK, "") }

// showForm shows the form, with what was wrong with the last try.
func showForm(w http.ResponseWriter, status int, problem string) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	w.WriteHeader(status)
	// A reader that went away cannot be told.
	_ = signInPage.Execute(w, problem)
}

// signIn takes a token and has the browser keep it, where no script can read
// it and no other site can use it.
func (c *console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	token := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(r.PostFormValue("token")), "bearer "))
	switch {
	case token == "":
		showForm(w, http.StatusUnprocessableEntity, "paste a token")
		return
	case len(token) > longestCookie:
		showForm(w, http.StatusUnprocessableEntity, "the token is too long for a browser to keep; ask for one with fewer scopes")
		return
	}
	if _, err := c.identify(r, token); err != nil {
		showForm(w, identity.Refusal(err).Status, err.Error())
		return
	}
	http.SetCookie(w, cookie(r, token))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut has the browser forget its token.
func (c *console) signOut(w http.ResponseWriter, r *http.Request) {
	gone := cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/console/signin", http.StatusSeeOther)
}

// cookie keeps a token until the browser is closed.
func cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{
		Name: identity.Cookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}
