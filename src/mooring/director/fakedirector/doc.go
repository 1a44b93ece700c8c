// Package fakedirector is a BOSH Director for tests. It speaks the Director's
// HTTP API and behaves, in what maintenance depends on, as a real one was
// measured to: one lock for each deployment, which a second task waits 10 s
// for and then fails; a fixed number of workers; updates that go AZ by AZ,
// inside one the bootstrap instance first and then by UUID, with
// max_in_flight counted for each AZ and canaries in the first alone; pre-stop
// run with the environment BOSH gives it and waited for also when the task is
// being cancelled; instances in flight that finish when one fails, and others
// that then never start; a deleted deployment whose instances all go at once.
//
// There are two ways to use it. With Config.Instances, what its VMs are is the
// test's to say, and Deploy does something to one group of them. With a Planner
// and a Cloud it takes manifests: DeployManifest prepares one as the real
// Director does (package deployment), makes VMs in namespaces (package vm), and
// takes each instance through the nine steps of an update, with the jobs of the
// release as real processes that have to run within the watch time.
//
//	director.go  what it manages, and in which order
//	managed.go   deploying a manifest, group by group
//	machine.go   the VM of an instance that a manifest asks for
//	instance.go  the steps of one instance's update
//	update.go    converging actions, deletion, the resurrector
//	errand.go    run-errand
//	task.go      tasks, their events, the deployment's lock
//	ignore.go    ignored instances
//	agent.go     agents that do not answer, Directors that break
//	http.go      the API
package fakedirector
