// Package fakedirector is a BOSH Director for tests. It speaks the Director's
// HTTP API and behaves, in what maintenance depends on, as a real one was
// measured to: one lock for each deployment, which a second task waits 10 s
// for and then fails; a fixed number of workers; updates that go AZ by AZ,
// inside one the bootstrap instance first and then by UUID, with
// max_in_flight counted for each AZ and canaries in the first alone; pre-stop
// run with the environment BOSH gives it and waited for also when the task is
// being cancelled; instances in flight that finish when one fails, and others
// that then never start; a deleted deployment whose instances all go at once.
// What its VMs are is the test's to say.
package fakedirector
