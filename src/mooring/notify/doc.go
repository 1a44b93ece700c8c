// Package notify tells people of what is stuck: through Alertmanager, a
// webhook or the log, to whom the routes of a file say.
//
// A Receiver is told one thing at a time and says whether it took it. What it
// did not take, when to try again and how far it has been told is for the
// caller to remember.
package notify
