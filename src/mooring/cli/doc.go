// Package cli is the command line of developers and operators, over package
// client. Commands are verb-noun and speak like cf and bosh; tables have
// lowercase headers; every command that prints takes --json, and those that
// follow something print one JSON object to a line with it. Flags may stand
// before or after arguments.
//
// Exit status:
//
//	0    it was done
//	1    it was refused or failed; the reason is on standard error
//	2    the command line makes no sense
//	3    a plan that was waited for is stuck or was aborted
//	130  interrupted while following something
package cli
