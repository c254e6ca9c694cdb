"""How a service gets its long work: views at the HTTP door, loops in the background."""

from collections.abc import Mapping

from chassis.assembly import all_provides
from chassis.service import Service
from chassis.settings import ServiceSettings
from chassis.wiring import Wiring
from chassis.work.leases import WorkLeases
from chassis.work.rows import bell_of
from chassis.work.views import cancel_operation, get_operation, list_operations
from chassis.work.workers import WorkLoop, worker_sources
from contracts.operation import CancelOperation, GetOperation, ListOperations


def wire_work(service: Service, wiring: Wiring, given: Mapping[type, object]) -> None:
    """Called by the chassis for a service that names `workers`."""
    settings: ServiceSettings = wiring.settings
    database, clock = wiring.resources.database, wiring.resources.clock
    assert wiring.execute is not None, "work ends by a command, so handlers come first"
    wiring.take_query(GetOperation, get_operation(database, wiring.service))
    wiring.take_query(ListOperations, list_operations(database, wiring.service))
    if CancelOperation.__name__ not in wiring.commands:
        wiring.take_command(CancelOperation, cancel_operation(database, wiring.service))
    provides = all_provides(service)
    workers = {
        kind: worker_sources(worker, provides, given) for kind, worker in service.workers.items()
    }
    leases = WorkLeases(database, clock, settings.work_lease_ms / 1000)
    bell = bell_of(wiring)
    for number in range(settings.work_parallel_max):
        loop = WorkLoop(workers, leases, wiring.execute, wiring.resources, bell)
        wiring.run(f"work-{number}", loop.run)
