"""Long work: begun by a command, done outside any transaction, ended by a command to oneself.

A handler calls `operations.begin(...)` and returns the Operation at once. A worker named in
`Service(workers={"import_app": import_app})` then runs under a lease in the operation's row: if its
process dies, another one begins it anew. What it returns is a command of the same service, run
through the normal path under an id derived from the operation's, so that it takes effect once.

A command whose own answer depends on that work returns `Later(...)` instead of the Operation; the
final command's handler answers it by `replies.answer(...)`.
"""

from chassis.messaging.later import Later, Replies
from chassis.work.job import Job
from chassis.work.operations import Operations
from chassis.work.wire import wire_work
from chassis.work.workers import worker_sources

__all__ = ["Job", "Later", "Operations", "Replies", "wire_work", "worker_sources"]
