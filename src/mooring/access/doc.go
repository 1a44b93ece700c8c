// Package access decides who may do what. Callers are known by name and hold
// roles; a role gives rights, some of them on the apps of one org or space or
// on one cell only. May is the one place that decides, and its refusal says
// who lacks what, on what, and which role has it. How callers prove who they
// are is package identity's business.
package access
