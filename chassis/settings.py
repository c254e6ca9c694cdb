"""ServiceSettings: everything that a service reads from its environment. Units are in the names.

A service subclasses it in `settings.py` and adds limits of its own. Values are read once, at the
start, and never change; a wrong or missing one is a single clear line, not a traceback.
"""

import os
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]


class SettingsInvalid(Exception):
    """The environment lacks a value, or has one that makes no sense."""


class ServiceSettings(BaseSettings):
    """What every service has. Field `http_port` is the environment variable `HTTP_PORT`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    environment: Literal["development", "test", "staging", "production"] = "development"
    context_key: SecretStr = Field(min_length=16)  # signs contexts; the gateway has the same

    # Faults on purpose: rules of operators, at FAULT points; refused in production
    faults: Literal["off", "staging"] = "off"
    faults_log: str = ""  # a file that each firing is appended to, before it happens

    # Where the servers are
    postgres_url: SecretStr = SecretStr("")  # has a password: the service's own database and role
    kafka_bootstrap: str = ""
    mongo_url: SecretStr = SecretStr("")
    mongo_database: str = ""  # "" is the service's name
    redis_url: SecretStr = SecretStr("")
    blob_dir: str = ""

    # The HTTP door
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=0, le=65_535)
    http_port_shared: bool = False  # with other replicas on this machine (SO_REUSEPORT)
    http_requests_max: int = Field(default=512, gt=0)  # in flight; more are refused with 503
    http_body_bytes_max: int = Field(default=1_048_576, gt=0)  # of a command or a query
    http_backlog_max: int = Field(default=512, gt=0)
    deadline_default_ms: int = Field(default=10_000, gt=0)  # for a caller that sent none
    deadline_max_ms: int = Field(default=60_000, gt=0)
    ready_timeout_ms: int = Field(default=2_000, gt=0)
    drain_delay_ms: int = Field(default=0, ge=0)  # not ready, but still serving: balancers notice
    drain_timeout_ms: int = Field(default=20_000, gt=0)
    start_timeout_ms: int = Field(default=60_000, gt=0)

    # Stores
    postgres_connections_max: int = Field(default=8, gt=0)
    postgres_timeout_ms: int = Field(default=10_000, gt=0)
    mongo_timeout_ms: int = Field(default=5_000, gt=0)
    redis_timeout_ms: int = Field(default=1_000, gt=0)
    redis_connections_max: int = Field(default=32, gt=0)

    # Messaging
    topic_partitions: int = Field(default=6, gt=0)
    kafka_group: str = ""  # "" is the service's name
    kafka_instance: str = ""  # of this replica alone, and the same after a restart: its partitions
    # wait for it (for 6 s at most) instead of moving twice; "" lets them move at once
    chunk_records_max: int = Field(default=512, gt=0)
    inbox_keep_days: int = Field(default=7, gt=0)  # longer than topics keep commands and events
    saga_keep_days: int = Field(default=90, gt=0)  # after its end
    parked_messages_max: int = Field(default=10_000, gt=0)  # then their partitions pause

    # Calls to other services
    client_timeout_ms: int = Field(default=5_000, gt=0)  # of one attempt
    client_calls_max: int = Field(default=64, gt=0)  # in flight to one service
    client_queue_max: int = Field(default=128, ge=0)  # waiting for a place
    client_queue_wait_ms: int = Field(default=500, ge=0)
    client_attempts_max: int = Field(default=3, gt=0)
    client_retry_ratio: float = Field(default=0.2, ge=0, le=1)  # retries to first attempts

    # Long work
    work_lease_ms: int = Field(default=15_000, gt=0)
    work_poll_ms: int = Field(default=1_000, gt=0)
    work_parallel_max: int = Field(default=2, gt=0)
    work_attempts_max: int = Field(default=5, gt=0)

    # Observability
    log_level: LogLevel = "info"
    otlp_endpoint: str = ""  # e.g. http://collector:4318; "" exports nothing
    trace_sample_ratio: float = Field(default=1.0, ge=0, le=1)

    def url_of(self, service: str) -> str:
        """Where another service's HTTP door is: `<SERVICE>_URL`. Raises SettingsInvalid."""
        name = f"{service}_url"
        url = getattr(self, name, None) or os.environ.get(name.upper(), "")
        if not url:
            raise SettingsInvalid(f"{name.upper()} is not set: where is {service}'s HTTP door?")
        return str(url).rstrip("/")


Settings = ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


def read_settings(cls: type[S]) -> S:
    """Read them from the environment. Raises SettingsInvalid, which never quotes a value."""
    try:
        return cls()
    except ValidationError as error:
        faults = "; ".join(
            f"{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg'].lower()}"
            for fault in error.errors(include_input=False, include_url=False)
        )
        raise SettingsInvalid(f"the environment is not complete: {faults}") from None
