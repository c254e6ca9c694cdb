"""The tidy rules, over Python sources: sizes, and what may not be called outside adapters."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
LINE_COLUMNS_MAX = 100

ADAPTERS = (
    "chassis/clock.py",
    "chassis/testing/clock.py",
    "chassis/testing/simulation/clock.py",
    "services/identity/store/chance.py",
)
"""Where the machine's clock and dice may be read."""

CHANCE_AND_TIME = {
    "asyncio.sleep",
    "time.sleep",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.perf_counter",
    "datetime.now",
    "datetime.utcnow",
    "datetime.datetime.now",
    "date.today",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid4",
    "uuid1",
    "os.urandom",
}
CHANCE_MODULES = ("random.", "secrets.")

EXCUSE = "# tidy: "
"""Begins the comment on a line that may wait without a deadline, and says why."""

PRAGMA = re.compile(r"\s+# (noqa|type: ignore).*$")
"""Words to the tools do not count as columns."""

WAITS = {"get", "join", "wait", "acquire"}
"""Methods that wait for ever on a queue, an event, a lock or a process when given nothing."""

BOUNDED = {
    "asyncio.wait": ("timeout",),
    "asyncio.Queue": ("maxsize",),
    "httpx.AsyncClient": ("timeout",),
    "httpx.Client": ("timeout",),
    "aiohttp.ClientSession": ("timeout",),
    "asyncpg.connect": ("timeout",),
    "asyncpg.create_pool": ("timeout", "command_timeout"),
}
"""Calls that wait for ever, or grow for ever, unless told how long or how large."""


@dataclass(frozen=True)
class Finding:
    """A broken rule and its place."""

    path: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


def sources(*folders: str) -> Iterator[Path]:
    """The Python files of some top-level folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def sizes(path: str, text: str) -> Iterator[Finding]:
    """Module, function and line sizes."""
    lines = text.splitlines()
    if len(lines) > MODULE_LINES_MAX:
        yield Finding(path, 1, f"{len(lines)} lines, at most {MODULE_LINES_MAX}: make it a folder")
    for number, line in enumerate(lines, 1):
        columns = len(PRAGMA.sub("", line))
        if columns > LINE_COLUMNS_MAX:
            yield Finding(path, number, f"{columns} columns, at most {LINE_COLUMNS_MAX}")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES_MAX:
                rule = f"{node.name} has {size} lines, at most {FUNCTION_LINES_MAX}"
                yield Finding(path, node.lineno, rule)


def naked_calls(path: str, text: str) -> Iterator[Finding]:
    """Time and chance that do not come from the injected ports."""
    if path in ADAPTERS:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name in CHANCE_AND_TIME or name.startswith(CHANCE_MODULES):
                yield Finding(path, node.lineno, f"{name}() outside an adapter: take it from Clock")


def endless_waits(path: str, text: str) -> Iterator[Finding]:
    """Awaits on queues, events and locks without a deadline around or inside them."""
    tree = ast.parse(text)
    guarded = {
        id(inner) for node in ast.walk(tree) if _is_deadline(node) for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Await) or id(node) in guarded:
            continue
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        bare = not call.args and not call.keywords
        if call.func.attr in WAITS and bare and EXCUSE not in _line(text, node.lineno):
            rule = f"await .{call.func.attr}() without a deadline (or `# tidy: why`)"
            yield Finding(path, node.lineno, rule)


def unbounded_calls(path: str, text: str) -> Iterator[Finding]:
    """Clients without a timeout, queues without a size, waits without an end."""
    tree = ast.parse(text)
    guarded = {
        id(inner) for node in ast.walk(tree) if _is_deadline(node) for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or id(node) in guarded:
            continue
        name = _dotted(node.func)
        given = {keyword.arg for keyword in node.keywords}
        excused = EXCUSE in _line(text, node.lineno)
        for missing in set(BOUNDED.get(name, ())) - given if not excused else ():
            if not (name == "asyncio.Queue" and node.args):
                yield Finding(path, node.lineno, f"{name}() without {missing} (or `# tidy: why`)")


def _is_deadline(node: ast.AST) -> bool:
    """`async with asyncio.timeout(...)`, or a call of wait_for and the like."""
    if isinstance(node, ast.AsyncWith):
        names = [_dotted(item.context_expr) for item in node.items]
        return any(name.endswith(("timeout", "timeout_at", "enforced")) for name in names)
    return isinstance(node, ast.Call) and _dotted(node.func).endswith("wait_for")


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _line(text: str, number: int) -> str:
    return text.splitlines()[number - 1]
