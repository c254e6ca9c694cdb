"""How a service becomes an orchestrator: `Service(extend=(sagas(DEFINITIONS, announce),))`."""

from datetime import timedelta

from chassis.messaging.deadletters import DeadLetters
from chassis.parking.loop import ParkedKeys
from chassis.parking.lot import LotLimits, ParkingLot
from chassis.saga.auditor import Auditor
from chassis.saga.batch import REPLIES, Announcer
from chassis.saga.chunk import SagaChunk
from chassis.saga.definition import Definitions
from chassis.saga.desk import SagaDesk
from chassis.saga.engine import SagaEngine
from chassis.saga.store import GROUP
from chassis.saga.timers import Timers
from chassis.wiring import Consumer, Extension, Wiring


def sagas(definitions: Definitions, announcer: Announcer) -> Extension:
    """Replies are handled in chunks, and what is due is woken, as long as the service runs."""

    def wire(wiring: Wiring) -> None:
        resources = wiring.resources
        database, clock = resources.database, resources.clock
        desk = SagaDesk(
            definitions, announcer, database=database, shards=wiring.settings.topic_partitions
        )
        engine = SagaEngine(desk, wiring.relay, clock)
        keep = timedelta(days=wiring.settings.saga_keep_days)
        timers = Timers(engine, database, clock, keep=keep)
        group = wiring.settings.kafka_group or wiring.service
        limits = LotLimits(open_max=wiring.settings.parked_messages_max)
        lot = ParkingLot(GROUP, database, DeadLetters(group, wiring.relay), limits)
        chunk = SagaChunk(engine, lot, clock, timers.rouse)
        wiring.home_topic = REPLIES  # sagas are where their replies arrive
        wiring.consume(Consumer(f"{group}-replies", (REPLIES,), chunk))
        parked = ParkedKeys(lot, (REPLIES,), chunk.replay, database, clock)
        wiring.run("parked-sagas", parked.run)
        wiring.run("saga-timers", timers.run)
        wiring.run("saga-auditor", Auditor(database, clock).run)

    return wire
