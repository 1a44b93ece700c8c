package api

import (
	"net/http"

	"mooring/access"
	"mooring/model"
)

// need is what a caller of a route must have. The right of nil is nothing: the
// route is open to all.
type need struct {
	right access.Right
	on    func(*http.Request) access.Object
}

// open is for what anybody may know.
var open = need{}

// rights says for every route who may call it. Where what it is about stands
// in the request's body, the route itself asks again (server.may).
var rights = map[string]need{
	"GET /healthz": open,
	"GET /metrics": {access.Scrape, thing("the metrics")},
	// What the API is like says nothing about the fleet.
	"GET /openapi.json": open, "GET /openapi.yaml": open, "GET /openapi-3.0.json": open, "GET /openapi-3.0.yaml": open,
	"GET /schemas/{schema}": open,
	"GET /v1/whoami":        open, // and says only that

	"GET /v1/volume-sets":                         {access.Look, thing("volume sets")},
	"POST /v1/volume-sets":                        {access.Change, somewhere("volume sets")},
	"GET /v1/volume-sets/{org}/{space}/{name}":    {access.Look, volumeSet},
	"DELETE /v1/volume-sets/{org}/{space}/{name}": {access.Change, volumeSet},
	"GET /v1/volumes":                             {access.Look, thing("volumes")},

	"GET /v1/apps":                                             {access.Look, thing("apps")},
	"GET /v1/apps/{org}/{space}/{name}":                        {access.Look, app},
	"GET /v1/apps/{org}/{space}/{name}/instances":              {access.Look, app},
	"GET /v1/apps/{org}/{space}/{name}/instances/{index}/logs": {access.ReadLogs, app},
	"PUT /v1/apps/{org}/{space}/{name}":                        {access.Change, app},
	"PUT /v1/apps/{org}/{space}/{name}/scale":                  {access.Change, app},
	"DELETE /v1/apps/{org}/{space}/{name}":                     {access.Change, app},
	"POST /v1/check-policy":                                    {access.Look, thing("volume sets")},

	"GET /v1/cells":                {access.Look, thing("cells")},
	"GET /v1/cells/{id}":           {access.Look, cell},
	"POST /v1/cells/{id}/register": {access.Speak, cell},
	"POST /v1/cells/{id}/report":   {access.Speak, cell},
	"GET /v1/cells/{id}/work":      {access.Speak, cell},
	// A cell tells its instances about their app, and asks about no other.
	"GET /v1/cells/{id}/apps/{org}/{space}/{name}": {access.Speak, cell},

	"GET /v1/cells/{id}/leave/stream":  {access.Gate, cell},
	"GET /v1/cells/{id}/return/stream": {access.Gate, cell},
	"PUT /v1/cells/{id}/leave":         {access.Gate, cell},
	"GET /v1/cells/{id}/return":        {access.Gate, cell},
	"PUT /v1/cells/{id}/return":        {access.Gate, cell},
	"PUT /v1/cells/{id}/gate-opened":   {access.Gate, cell},

	"POST /v1/preview":            {access.Look, thing("previews")},
	"POST /v1/plans":              {access.Plan, thing("plans")},
	"GET /v1/plans":               {access.Look, thing("plans")},
	"GET /v1/plans/{plan}":        {access.Look, plan},
	"PUT /v1/plans/{plan}/intent": {access.Plan, plan},
	"GET /v1/plans/{plan}/stream": {access.Watch, plan},
	"GET /v1/why/cells/{id}":      {access.Look, cell},
	"GET /v1/why/plans/{plan}":    {access.Look, plan},
	"GET /v1/stuck":               {access.Look, thing("what is stuck")},
	"PUT /v1/stuck/{id}/answer":   {access.Answer, somewhere("what is stuck")},
	"GET /v1/events":              {access.Look, thing("events")},
	"GET /v1/events/stream":       {access.Look, thing("events")},
}

func thing(what string) func(*http.Request) access.Object {
	return func(*http.Request) access.Object { return access.Thing(what) }
}

func somewhere(what string) func(*http.Request) access.Object {
	return func(*http.Request) access.Object { return access.Somewhere(what) }
}

func app(r *http.Request) access.Object       { return access.App(nameIn(r)) }
func volumeSet(r *http.Request) access.Object { return access.VolumeSet(nameIn(r)) }
func cell(r *http.Request) access.Object      { return access.OnCell(r.PathValue("id")) }
func plan(r *http.Request) access.Object      { return access.Thing("plan " + r.PathValue("plan")) }

func nameIn(r *http.Request) model.Name {
	return model.Name{Org: r.PathValue("org"), Space: r.PathValue("space"), Name: r.PathValue("name")}
}
