package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mooring/client"
	"mooring/model"
	"mooring/state"
)

type pushInput struct {
	NamePath
	Body client.Push
}

type checkInput struct{ Body client.Push }

type scaleInput struct {
	NamePath
	Body client.Scale
}

func (s *server) appRoutes(routes huma.API) {
	const one = "/v1/apps/{org}/{space}/{name}"
	on(routes, operation(http.MethodGet, "/v1/apps", "list-apps", "List apps", "apps"),
		func(ctx context.Context, _ *struct{}) ([]client.AppView, error) {
			return appViews(ctx, s.store.Snapshot()), nil
		})
	on(routes, operation(http.MethodGet, one, "get-app", "One app with its instances", "apps"),
		func(ctx context.Context, in *NamePath) (*client.AppView, error) {
			snap := s.store.Snapshot()
			app, err := appNamed(snap, in.name())
			if err != nil {
				return nil, err
			}
			return shown(ctx, appView(snap, app)), nil
		})
	on(routes, operation(http.MethodGet, one+"/instances", "list-instances", "An app's instances and where they are reached", "apps"),
		func(ctx context.Context, in *NamePath) ([]client.InstanceView, error) {
			snap := s.store.Snapshot()
			app, err := appNamed(snap, in.name())
			if err != nil {
				return nil, err
			}
			return shown(ctx, appView(snap, app)).Members, nil
		})
	on(routes, operation(http.MethodPut, one, "push-app", "Create an app, or update it under its policy", "apps"), s.push)
	on(routes, operation(http.MethodPut, one+"/scale", "scale-app", "Set the number of instances", "apps"), s.scale)
	op := operation(http.MethodDelete, one, "delete-app", "Stop an app and remove it; its volume sets stay", "apps")
	op.DefaultStatus = http.StatusAccepted
	on(routes, op, s.deleteApp)
	on(routes, operation(http.MethodPost, "/v1/check-policy", "check-policy", "Explain a lifecycle policy and what it costs the fleet; nothing is changed", "apps"), s.checkPolicy)
}

func appNamed(snap *state.Snapshot, name model.Name) (*model.App, error) {
	app := snap.AppNamed(name)
	if app == nil {
		return nil, notFound("there is no app %s", name)
	}
	return app, nil
}

func (s *server) push(ctx context.Context, in *pushInput) (*client.Pushed, error) {
	if in.Body.Name != in.name() {
		return nil, invalid("the push cannot be read", fault("name", "the path names app %s and the body %s", in.name(), in.Body.Name))
	}
	var pushed *client.Pushed
	guid := s.newGUID()
	_, err := s.change(ctx, func(snap *state.Snapshot) (tx *state.Txn, err error) {
		tx, pushed, err = decidePush(snap, &in.Body, guid, signed(ctx, "", someDeveloper), s.now())
		return tx, err
	})
	if err != nil {
		return nil, err
	}
	return pushed, nil
}

func (s *server) scale(ctx context.Context, in *scaleInput) (*client.Pushed, error) {
	var pushed *client.Pushed
	_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		app, err := appNamed(snap, in.name())
		if err != nil {
			return nil, err
		}
		var tx *state.Txn
		same := client.Push{Name: app.Name, Owner: app.Owner, Instances: in.Body.Instances, Spec: app.Spec, Policy: app.Policy}
		tx, pushed, err = decidePush(snap, &same, app.GUID, signed(ctx, "", someDeveloper), s.now())
		return tx, err
	})
	if err != nil {
		return nil, err
	}
	return pushed, nil
}

func (s *server) deleteApp(ctx context.Context, in *NamePath) (*client.AppView, error) {
	var deleted *client.AppView
	_, err := s.change(ctx, func(snap *state.Snapshot) (*state.Txn, error) {
		app, err := appNamed(snap, in.name())
		if err != nil {
			return nil, err
		}
		deleted = appView(snap, app)
		if app.Deleting {
			return nil, nil
		}
		ending := *app
		ending.Deleting, ending.UpdatedAt = true, s.now()
		deleted.Deleting = true
		tx := snap.Txn()
		tx.Put(&ending)
		tx.Event(model.Event{At: s.now(), Kind: model.EventAppDeleting, Actor: signed(ctx, "", someDeveloper), App: app.Name.String(), AppGUID: app.GUID,
			Text: fmt.Sprintf("app %s is to be deleted; its volume sets stay", app.Name)})
		return tx, nil
	})
	if err != nil {
		return nil, err
	}
	return deleted, nil
}
