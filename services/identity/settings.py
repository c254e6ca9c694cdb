"""Identity's limits. Units are in the names."""

from uuid import UUID

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """What identity reads from its environment, beyond what every service does."""

    # Passwords: Argon2id costs, and how much of them at one time
    password_characters_min: int = Field(default=10, ge=8)
    password_characters_max: int = Field(default=256, le=1024)
    password_hash_memory_kib: int = Field(default=19_456, ge=8)
    password_hash_passes: int = Field(default=2, ge=1)
    password_threads_max: int = Field(default=2, ge=1)  # hash at one time
    password_queue_max: int = Field(default=64, ge=1)  # wait for a thread; more are refused
    password_wait_ms: int = Field(default=5_000, gt=0)

    # Sessions
    session_seconds_max: int = Field(default=30 * 86_400, gt=0)  # from log-in, used or not
    session_idle_seconds_max: int = Field(default=7 * 86_400, gt=0)  # since it was last used
    session_touch_seconds: int = Field(default=60, ge=0)  # how exactly its last use is known
    sessions_max: int = Field(default=20, gt=0)  # of a user; the oldest give way
    sessions_pruned_max: int = Field(default=100, gt=0)  # expired rows deleted by one log-in

    # Lock-out: after so many wrong passwords in a row the account is shut, each time twice as long
    lockout_attempts_free: int = Field(default=5, ge=1)
    lockout_seconds_first: int = Field(default=5, gt=0)
    lockout_seconds_max: int = Field(default=900, gt=0)
    lockout_forget_seconds: int = Field(default=86_400, gt=0)  # of quiet, and it starts afresh
    lockouts_pruned_max: int = Field(default=100, gt=0)  # forgotten rows deleted by one failure

    # Cache of sessions and roles. An invalidation outlasts every read that began before it.
    access_cache_seconds: int = Field(default=10, gt=0)
    access_hold_seconds: int = Field(default=45, gt=0)  # > cache + the longest database read
    access_cache_timeout_ms: int = Field(default=150, gt=0)  # then Postgres is asked
    access_hold_timeout_ms: int = Field(default=1_000, gt=0)
    access_cache_retry_ms: int = Field(default=1_000, gt=0)  # without Redis after it failed

    # Operators of the platform: users who may do what needs the permission `operator`
    operator_user_ids: tuple[UUID, ...] = ()  # as JSON: ["..."]

    # Workspaces
    members_max_default: int = Field(default=3, gt=0)  # until billing announces the plan's
    invitation_seconds_max: int = Field(default=7 * 86_400, gt=0)
