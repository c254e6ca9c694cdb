"""An operator's way to the services: their HTTP doors, with a context that the operator signs.

CONTEXT_KEY and <SERVICE>_URL come from the environment, as a service's do; what is not set there
is the local stack's.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from chassis.clock import Clock, SystemClock, new_id
from chassis.context import Context, sign
from contracts.base import REGISTRY, Command, Message, Query, Rejection

A = TypeVar("A", bound=Message)

PERMISSION = "operator"
CONTEXT_S = 60
TIMEOUT_S = 30.0


class Refused(Exception):
    """The service said no, or could not be asked: one line for a terminal."""

    def __init__(self, line: str, rejection: Rejection | None = None) -> None:
        super().__init__(line)
        self.rejection = rejection


class Door:
    """Asks and commands services by name. Raises Refused."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, clock: Clock | None = None
    ) -> None:
        self._environment = os.environ if environment is None else environment
        self._clock = clock or SystemClock()
        self._http = httpx.Client(timeout=TIMEOUT_S)

    def ask(self, service: str, query: Query[A]) -> A:
        """The answer to a question."""
        return self._post(service, "queries", query)  # type: ignore[return-value]  # its answer

    def send(self, service: str, command: Command[A]) -> A:
        """Have something done, once."""
        return self._post(service, "commands", command)  # type: ignore[return-value]  # its answer

    def faults(self, service: str, method: str, rule: str = "") -> dict[str, Any]:
        """GET, POST or DELETE at the service's door for faults: JSON in, JSON out."""
        answer = self._call(service, method, "faults", rule)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Refused(f"{service} was not started with FAULTS=staging: see docs/faults.md")
        if answer.status_code != httpx.codes.OK:
            raise Refused(_why(service, _body(service, answer), answer.status_code))
        return _body(service, answer)

    def close(self) -> None:
        self._http.close()

    def _post(self, service: str, kind: str, message: Message) -> Message:
        path = f"{kind}/{type(message).__name__}"
        return _message(service, self._call(service, "POST", path, message.model_dump_json()))

    def _call(self, service: str, method: str, path: str, content: str) -> httpx.Response:
        expires_at = self._clock.now() + timedelta(seconds=CONTEXT_S)
        context = Context(None, None, PERMISSION, expires_at)
        headers = {
            "basalt-context": sign(context, self._key()),
            "basalt-command-id": str(new_id()),
            "content-type": "application/json",
        }
        url = f"{self._url(service)}/{path}"
        try:
            return self._http.request(method, url, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Refused(f"{service} does not answer ({type(error).__name__}): {url}") from None

    def _key(self) -> bytes:
        given = self._environment.get("CONTEXT_KEY")
        return (given or _local().secret()).encode()

    def _url(self, service: str) -> str:
        given = self._environment.get(f"{service.upper()}_URL")
        return given.rstrip("/") if given else str(_local().url(service))


def guarded(
    run: Callable[[Door, argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """A subcommand with a door of its own. Exit code 1: refused; 2: bad input, by its field."""

    def guard(given: argparse.Namespace) -> int:
        door = Door()
        try:
            return run(door, given)
        except Refused as refused:
            print(f"basalt: {refused}", file=sys.stderr)
            return 1
        except ValidationError as error:
            for fault in error.errors():
                place = ".".join(map(str, fault["loc"]))
                print(f"basalt: {place}: {fault['msg']}", file=sys.stderr)
            return 2
        finally:
            door.close()

    return guard


def operator_name() -> str:
    """Who sits at this terminal: BASALT_OPERATOR, else the account's name."""
    return os.environ.get("BASALT_OPERATOR") or getpass.getuser()


def _message(service: str, answer: httpx.Response) -> Message:
    body = _body(service, answer)
    contract = REGISTRY.get(body.get("type", ""))
    if answer.status_code == httpx.codes.OK and contract is not None:
        return contract.model_validate(body["data"])
    if contract is not None and issubclass(contract, Rejection):
        rejection = contract.model_validate(body["data"])
        fields = ", ".join(f"{name}: {value}" for name, value in rejection)
        raise Refused(f"{contract.__name__}: {fields}", rejection)
    raise Refused(_why(service, body, answer.status_code))


def _body(service: str, answer: httpx.Response) -> dict[str, Any]:
    try:
        body: dict[str, Any] = answer.json()  # a contract's JSON, or a fault
    except ValueError:
        raise Refused(f"{service} answered {answer.status_code}, which is no door") from None
    return body


def _why(service: str, body: Mapping[str, Any], status: int) -> str:
    faults = "; ".join(f"{e['field']}: {e['message']}" for e in body.get("errors", []))
    return f"{service} refused: {faults or body.get('type') or status}"


def _local() -> Any:  # infra.local.stack.Stack, imported only where there is no environment
    from infra.local.places import Unfit
    from infra.local.stack import Stack

    try:
        stack = Stack.from_environment()
    except Unfit as unfit:
        raise Refused(str(unfit)) from None
    if not stack.data.exists():
        raise Refused("no CONTEXT_KEY is set and there is no local stack: run make up")
    return stack
