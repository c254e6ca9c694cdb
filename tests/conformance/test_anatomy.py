"""Every service is put together in the same way."""

import ast
from pathlib import Path

import pytest

from tests.conformance.tidy import ROOT

SERVICES = sorted(path for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists())
PARTS = {"main", "settings", "model", "handlers", "views", "store"}
EXCEPTIONS = {
    "gateway": {"missing": {"model", "handlers", "views", "store"}},
    "activity": {"missing": {"migrations"}},
}
"""What a service does without, as ARCHITECTURE allows: the gateway owns no data, and activity has
no tables but the chassis's."""

MAIN_LINES_MAX = 60


def parts_of(service: Path) -> set[str]:
    """Modules and folders of a service, by name."""
    return {path.stem for path in service.iterdir() if not path.name.startswith("_")}


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_has_all_parts(service: Path) -> None:
    missing = EXCEPTIONS.get(service.name, {}).get("missing", set())
    stores = '"postgres"' in (service / "main.py").read_text()

    wanted = (PARTS | ({"migrations"} if stores else set())) - missing

    assert wanted - parts_of(service) == set()


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_says_in_prose_what_it_is_for(service: Path) -> None:
    docstring = ast.get_docstring(ast.parse((service / "__init__.py").read_text())) or ""

    assert len(docstring) > 80


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_main_only_puts_together(service: Path) -> None:
    text = (service / "main.py").read_text()

    assert len(text.splitlines()) <= MAIN_LINES_MAX
    assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_models_do_not_wait(service: Path) -> None:
    """Rules are decided without I/O; only the Protocols and their helpers may await."""
    files = [*service.glob("model.py"), *service.glob("model/*.py")]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not _is_protocol(node):
                inside = [n for n in ast.walk(node) if isinstance(n, ast.AsyncFunctionDef)]
                assert inside == [], f"{file}: {node.name} awaits"


def test_handlers_cannot_commit() -> None:
    """What they could commit or publish with is out of their reach."""
    barred = ("chassis.stores", "chassis.messaging", "chassis.resources")
    allowed = ("chassis.stores.blobs", "chassis.messaging.envelope")  # a port, and a tap's fact
    for file in [*ROOT.glob("services/*/handlers.py"), *ROOT.glob("services/*/handlers/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            place = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} imports {module}"
            assert not module.startswith(barred) or module in allowed, place


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
