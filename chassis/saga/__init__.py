"""The saga engine: definitions that are checked on import, a pure decision core, a Postgres store.

A file in sagas/ needs this module only.
"""

from chassis.saga.definition import (
    Approval,
    DefinitionRefused,
    Definitions,
    Kind,
    Saga,
    Step,
    compensatable,
    parallel,
    pivot,
    retriable,
)
from chassis.saga.policy import PATIENT, QUICK, UNTIL_DONE, RetryPolicy

__all__ = [
    "PATIENT",
    "QUICK",
    "UNTIL_DONE",
    "Approval",
    "DefinitionRefused",
    "Definitions",
    "Kind",
    "RetryPolicy",
    "Saga",
    "Step",
    "compensatable",
    "parallel",
    "pivot",
    "retriable",
]
