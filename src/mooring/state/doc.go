// Package state keeps the records of model in etcd and a mirror of them in
// memory. etcd is the truth; the mirror answers every read.
//
//   - A Snapshot is the whole state at one etcd revision. It never changes, so
//     a decision sees one moment, and it costs next to nothing to take.
//   - A Txn is a decision: what to write, and what it relied on. Commit sends
//     both to etcd in one transaction, which compares the revision of each key
//     with the snapshot's and writes everything or nothing. A decision on an
//     old snapshot is therefore harmless: it is refused with ErrConflict, and
//     made again on a newer one.
//   - Commit returns once the mirror shows the write: who committed reads what
//     they wrote. Others see it when their mirror gets there, always whole
//     revisions in their order.
//   - The mirror follows etcd by watch and reads everything anew when its place
//     in etcd's history is gone. While etcd is out of reach it shows the last
//     state it had; nothing can be committed then.
//   - A member of etcd that does not answer is passed over: calls go to another
//     one, and so do watches, which ask whether their member is there. A write
//     that was not answered is made again; when it then meets itself, it is known
//     to be written.
//   - etcd may go back, where a backup is restored. Each store asks etcd where it
//     is, and reads everything anew then; whoever waits looks again.
//   - Times in records are by the clock of whoever wrote them. Snapshot.Seen says
//     when one was first seen here, and decisions go by that.
//   - A record that is corrupt, or of a newer format, stops the mirror with an
//     error that names its key: nothing is decided on half a state, while cells
//     are kept present. The mirror goes on by itself once the record was mended
//     or removed. Events, deliveries and durations decide nothing: they are
//     passed over, and Unreadable names them. What a newer version added within
//     the format is passed over.
//   - Permits enter a ledger in Grant alone. What it judged is required by its
//     transaction, so two that grant at once cannot together exceed a policy.
//   - Leadership keeps two controllers from doing the same work. That they
//     cannot do harm comes from Txn.As and from the comparisons above.
package state
