package release

import (
	"fmt"
	"maps"
	"testing"
)

// fleet is a deployment on paper: three control nodes and six cells, with
// certificates, in which each job can be placed.
type fleet struct {
	jobs          map[string]job
	control       []instance
	cells         []instance
	etcdCA, apiCA *authority
	etcd, peer    map[string]any
	api           map[string]any
	operator      map[string]any
	cell          map[string]any
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{jobs: jobs(t), control: group("control", 3), cells: group("cell", 6), etcdCA: newAuthority(t), apiCA: newAuthority(t)}
	f.etcd = f.etcdCA.issue(t, "*.control.default.mooring.bosh")
	f.peer = newAuthority(t).issue(t, "*.control.default.mooring.bosh")
	f.api = f.apiCA.issue(t, "*.control.default.mooring.bosh")
	f.operator, f.cell = f.apiCA.issueTo(t, "mooring-operator"), f.apiCA.issueTo(t, "mooring-cell")
	return f
}

// group gives n instances over three AZs.
func group(name string, n int) []instance {
	var all []instance
	for i := range n {
		id := fmt.Sprintf("%08d-%s", i, map[string]string{"control": "c0c0-4000-8000-00000000c0c0", "cell": "ce11-4000-8000-00000000ce11"}[name])
		all = append(all, instance{
			ID: id, Name: name, Index: i, AZ: fmt.Sprintf("z%d", i%3+1), Deployment: "mooring", Bootstrap: i == 0,
			Address: id + "." + name + ".default.mooring.bosh", IP: fmt.Sprintf("10.0.%d.%d", i%3, 10+i), PersistentDisk: 10240,
		})
	}
	return all
}

// links are all that the deployment provides.
func (f *fleet) links() map[string]link {
	return map[string]link{
		"etcd": {Address: "q-s0.control.default.mooring.bosh", Instances: f.control, Declared: f.jobs["etcd"].shares("etcd"), Properties: map[string]any{"tls": f.etcd}},
		"api":  {Address: "q-s0.control.default.mooring.bosh", Instances: f.control, Declared: f.jobs["api"].shares("api"), Properties: map[string]any{"tls": f.api}},
	}
}

// place puts a job where the manifest has it, with what it must be given and
// more on top of that.
func (f *fleet) place(name string, more map[string]any) placed {
	p := placed{job: f.jobs[name], On: f.control[0], Properties: map[string]any{}, Links: map[string]link{}}
	switch name {
	case "etcd":
		p.Properties["tls"], p.Properties["peer_tls"] = f.etcd, f.peer
	case "api":
		p.Properties["tls"], p.Properties["etcd_tls"] = f.api, f.etcd
	case "scheduler", "orchestrator":
		p.Properties["etcd_tls"] = f.etcd
	case "cell", "volume-manager":
		p.On = f.cells[4]
		p.Properties["tls"] = f.cell
	case "roll-cells":
		p.Properties["plan"] = map[string]any{"name": "stemcell", "cells": "all", "action": "recreate"}
		p.Properties["tls"] = f.operator
	default:
		p.Properties["tls"] = f.operator
	}
	for _, wanted := range p.Consumes {
		p.Links[wanted.Name] = f.links()[wanted.Name]
	}
	maps.Copy(p.Properties, more)
	return p
}

// secrets gives the names under which certificates stand in golden files.
func (f *fleet) secrets() map[string]string {
	names := map[string]string{f.etcdCA.pem: "((etcd_ca))", f.apiCA.pem: "((api_ca))", f.peer["ca"].(string): "((etcd_peer_ca))"}
	for name, pair := range map[string]map[string]any{"etcd": f.etcd, "etcd_peer": f.peer, "api": f.api, "operator": f.operator, "cell": f.cell} {
		names[pair["certificate"].(string)] = "((" + name + ".certificate))"
		names[pair["private_key"].(string)] = "((" + name + ".private_key))"
	}
	return names
}
