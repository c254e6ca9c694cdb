"""The saga engine: definitions that are checked on import, a pure decision core, a Postgres store.

A file in sagas/ needs this module only.
"""

from chassis.saga.definition import (
    DefinitionRefused,
    Definitions,
    Kind,
    Saga,
    Step,
    compensatable,
    pivot,
    retriable,
)
from chassis.saga.policy import PATIENT, QUICK, UNTIL_DONE, RetryPolicy

__all__ = [
    "PATIENT",
    "QUICK",
    "UNTIL_DONE",
    "DefinitionRefused",
    "Definitions",
    "Kind",
    "RetryPolicy",
    "Saga",
    "Step",
    "compensatable",
    "pivot",
    "retriable",
]
