"""Orchestrator runs what `sagas/` declares, and answers for it as operations.

Store: Postgres, one row for each saga with its timer inside, its history and its locks. Accepts the
commands that start sagas, at once and idempotent by command id, CancelOperation, DecideApproval and
the verbs of operators (each a compare-and-set, with its reason in the saga's history); hears the
participants' replies on `reply.orchestrator.v1`. Announces where sagas stand on
`orchestrator.saga.v1`. The rules are chassis.saga; `model.py` is only how they look from outside.
"""
