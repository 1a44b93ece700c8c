package api

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"mooring/model"
)

// openAPI is the frame of the OpenAPI document. Our quantities are text in
// JSON; the document says how the text is written.
func openAPI(version string) huma.Config {
	cfg := huma.DefaultConfig("Mooring", version)
	// Answers are the model as it is, without a link to its schema in each.
	cfg.CreateHooks = nil
	// The page that would show the document loads scripts from other sites.
	cfg.DocsPath = ""
	cfg.Transformers = append(cfg.Transformers, withoutValues)
	cfg.RejectUnknownQueryParameters = true
	cfg.Info.Description = "Runs persistent data services on a fleet of hosts and takes those hosts through maintenance without breaking the services."
	registry := cfg.Components.Schemas
	for of, shape := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[model.Size]():     reflect.TypeFor[sizeShape](),
		reflect.TypeFor[model.Duration](): reflect.TypeFor[durationShape](),
		reflect.TypeFor[model.Limit]():    reflect.TypeFor[limitShape](),
	} {
		registry.RegisterTypeAlias(of, shape)
	}
	return cfg
}

// withoutValues takes what a caller sent out of the refusal of it: there may be
// secrets in it, and refusals are logged and passed on. Where the fault is, and
// what it is, stays.
func withoutValues(_ huma.Context, _ string, answer any) (any, error) {
	refused, is := answer.(*huma.ErrorModel)
	if !is {
		return answer, nil
	}
	shown := *refused
	shown.Errors = make([]*huma.ErrorDetail, 0, len(refused.Errors))
	for _, detail := range refused.Errors {
		if detail != nil {
			shown.Errors = append(shown.Errors, &huma.ErrorDetail{Message: detail.Message, Location: detail.Location})
		}
	}
	return &shown, nil
}

// passOverUnknown makes what is sent as T, and all that is in it, readable where
// it has more than this version knows. Cells say more once they are newer than
// this node, which they are after a step back; refused, they would count as gone.
func passOverUnknown[T any](routes huma.API) {
	registry := routes.OpenAPI().Components.Schemas
	var visit func(*huma.Schema)
	visit = func(s *huma.Schema) {
		if s == nil {
			return
		}
		if s.Ref != "" {
			s = registry.SchemaFromRef(s.Ref)
		}
		if closed, is := s.AdditionalProperties.(bool); is && !closed {
			s.AdditionalProperties = true
		}
		visit(s.Items)
		for _, property := range s.Properties {
			visit(property)
		}
	}
	visit(registry.Schema(reflect.TypeFor[T](), true, ""))
}

type sizeShape struct{}

// Schema implements huma.SchemaProvider.
func (sizeShape) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "An amount of memory or disk in binary multiples", Examples: []any{"256M", "1G"}}
}

type durationShape struct{}

// Schema implements huma.SchemaProvider.
func (durationShape) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: "A stretch of time", Examples: []any{"90s", "5m", "2h"}}
}

type limitShape struct{}

// Schema implements huma.SchemaProvider.
func (limitShape) Schema(huma.Registry) *huma.Schema {
	zero := 0.0
	return &huma.Schema{
		Description: "A count, or a share of the desired instances",
		OneOf: []*huma.Schema{
			{Type: huma.TypeString, Examples: []any{"25%"}},
			{Type: huma.TypeInteger, Minimum: &zero, Examples: []any{1}},
		},
	}
}
