"""What the gateway reads from its environment. Every limit has its unit in its name."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The gateway's own limits, beside those of every service."""

    # GraphQL documents
    request_body_ms_max: int = Field(default=5_000, gt=0)  # until a request's body has arrived
    request_bytes_max: int = Field(default=262_144, gt=0)  # of a request's body or socket message
    query_tokens_max: int = Field(default=4_000, gt=0)
    query_depth_max: int = Field(default=14, gt=0)
    query_aliases_max: int = Field(default=60, ge=0)
    query_fields_max: int = Field(default=600, gt=0)  # with fragments expanded
    document_cache_max: int = Field(default=512, gt=0)  # parsed and validated documents kept
    optional_ms_max: int = Field(default=3_000, gt=0)  # for a field that the rest can do without
    operation_ms_max: int = Field(default=15_000, gt=0)

    # Sockets
    socket_init_seconds: float = Field(default=10, gt=0)  # to say connection_init
    sockets_max: int = Field(default=2_000, gt=0)  # of one process
    subscriptions_per_socket_max: int = Field(default=50, gt=0)
    watch_poll_ms_min: int = Field(default=100, gt=0)  # how often a watched thing is asked for,
    watch_poll_ms_max: int = Field(default=2_000, gt=0)  # when nothing pushes

    # Callers
    filled_seconds: int = Field(default=86_400, gt=0)  # how long a keyed call keeps what it filled
    context_seconds: float = Field(default=30, gt=0)  # how long services accept what was signed
    cors_origins: tuple[str, ...] = ()  # browsers' origins that may call; ("*",) = all

    # Files
    archive_bytes_max: int = Field(default=268_435_456, gt=0)  # of an uploaded app
    upload_ms_max: int = Field(default=300_000, gt=0)
    live_cache_seconds: int = Field(default=0, ge=0)

    @property
    def development(self) -> bool:
        """Whether GraphiQL is served."""
        return self.environment == "development"
