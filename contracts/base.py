"""The kinds of message, and how a message is addressed.

A contract file lives at ``contracts/<owner>/<aggregate>.py`` (or in a folder of that name, when it
outgrows a file) and names its partition key once, at its top: ``KEY = "workspace_id"``. From the
file's place and the class's name follow the wire name (``billing.QuotaReserved.v1``) and the topic
(``billing.account.v1``). The wire name is pinned in the generated schema: renaming a class without
its schema fails `make verify`.
"""

import sys
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message belongs. `key` is the field whose value orders it."""

    owner: str
    aggregate: str
    name: str
    version: int
    key: str

    @property
    def type(self) -> str:
        """The CloudEvents `type`: owner, name and major version."""
        return f"{self.owner}.{self.name}.v{self.version}"

    @property
    def topic(self) -> str:
        """The topic of the aggregate's public facts."""
        return f"{self.owner}.{self.aggregate}.v{self.version}"


def _key_of(module: str) -> str:
    """`KEY` of a contract file, or of the folder that it grew into."""
    folder = sys.modules.get(module.rpartition(".")[0])
    return str(getattr(sys.modules[module], "KEY", getattr(folder, "KEY", "")))


REGISTRY: dict[str, type["Message"]] = {}
"""Every contract that has been imported, by wire type."""


class Message(BaseModel):
    """Common to all: frozen; readers ignore fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    address: ClassVar[Address]
    # How this message crosses the boundary; set by class keywords.
    permission: ClassVar[str | None] = None
    secret: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:  # Generic takes no class keywords
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(
        cls,
        version: int = 1,
        key: str | None = None,
        permission: str | None = None,
        secret: bool = False,
        **kwargs: Any,  # pydantic's own class keywords
    ) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        _, _, place = cls.__module__.partition("contracts.")
        owner, _, aggregate = place.partition(".")
        if "[" in cls.__name__ or not owner or owner == "base":
            return
        key = key or _key_of(cls.__module__)
        cls.address = Address(owner, aggregate.split(".")[0] or owner, cls.__name__, version, key)
        cls.permission, cls.secret = permission, secret
        if REGISTRY.setdefault(cls.address.type, cls).__module__ != cls.__module__:
            raise TypeError(f"two contracts share the wire type {cls.address.type}")

    @property
    def key(self) -> str:
        """The value that orders this message among its aggregate's."""
        return str(getattr(self, self.address.key))


class Event(Message):
    """It happened. Public, on its aggregate's topic, in order of the aggregate's version."""


class Reply(Message):
    """A private answer: goes to whoever asked and to nobody else."""


class Rejection(Message):
    """No, because. A typed business refusal: never retried, never an alert."""


Answer = TypeVar("Answer", bound=Message)


class Command(Message, Generic[Answer]):
    """Please do. ``class ReserveQuota(Command[QuotaReserved])`` says what success looks like.

    Class keywords: ``permission`` (what the caller must hold; None = only services may send it),
    ``secret=True`` (its answer carries credentials: never stored, published or logged).
    """


class Query(Message, Generic[Answer]):
    """Tell me. Same class keywords as a command; answered over HTTP only, never queued."""


def answer_of(contract: type[Message]) -> type[Message]:
    """The success answer that a command or query declares. TypeError when it declares none."""
    for base in contract.__mro__:
        arguments = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
        if arguments:
            return arguments[0]  # type: ignore[no-any-return]  # pydantic's metadata is untyped
    raise TypeError(f"{contract.__name__} does not say what it answers: write Command[Answer]")
