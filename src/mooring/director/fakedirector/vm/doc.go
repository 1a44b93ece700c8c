// Package vm is VMs as a BOSH Director sees them, on this machine and for
// tests: a VM is a set of namespaces (mount, PID, network, UTS, IPC) with a
// /var/vcap, an ephemeral and a persistent disk of its own. The agent in it
// puts rendered jobs where a job's files belong, runs their scripts, and has a
// real monit start and watch their processes. All VMs share one kernel, as
// those of a BOSH Lite do.
//
//	cloud, err := vm.NewCloud(vm.Config{Dir: dir, Packages: packages})
//	host, err := cloud.Create("id", "control", "10.231.1.2")
//	err = host.Configure(jobs)
//	err = host.Run(ctx, "pre-start", nil)
//	err = host.Start()
//	for host.State() != vm.Running { … }
//
// It needs root, monit and ruby; Missing says what is not there.
//
//	cloud.go     the network and the disks
//	vm.go        making and ending a VM, commands in it
//	agent.go     jobs, scripts, processes and their state
//	bpm.rb       what stands for BPM: starts a process of bpm.yml as user vcap
//	enter.sh     the first process of a VM
package vm
