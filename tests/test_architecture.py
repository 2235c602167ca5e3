"""Imports point down (design, section 3): what is below never knows what is above."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import wagtail_cookie_charter

NAME = "wagtail_cookie_charter"
PACKAGE = Path(wagtail_cookie_charter.__file__).parent

#: From the ground up. A module may import from the layers below its own, and from no other.
#: A new module fails these tests until somebody has thought about where it belongs.
LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(layer.split())
    for layer in (
        "wagtail_cookie_charter",
        "asking consent enclosure report vendors frontend",
        "decision changes seal providers hosts serving frontend.build conf moments",
        "wording errors nonce notice presets asking.panel report.tally report.charts"
        " report.downloads",
        "representation labels",
        "blocks",
        "fields",
        "models.site models.ledger",
        "models.charter models.events",
        "models.banner",
        "models",
        "evidence narrative compiling",
        "publishing report.figures report.register",
        "asking.outlook report.records visitor log_actions",
        "answers",
        "recording",
        "gating headless own_record retention tasks",
        "advice asking.again asking.views consent_gate embeds views checks middleware templatetags",
        "urls admin_urls well_known templatetags.cookie_charter panels report.attention management",
        "jinja2tags viewsets archive report.homepage management.commands",
        "report.views",
        "report.exports",
        "report.urls",
        "wagtail_hooks apps management.commands.export_cookie_records"
        " management.commands.init_cookie_charter management.commands.prune_consent_records"
        " management.commands.verify_cookie_ledger",
    )
)
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}


def module_name(path: Path) -> str:
    parts = [*path.relative_to(PACKAGE).with_suffix("").parts]
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or NAME


def sources() -> dict[str, Path]:
    return {
        module_name(path): path
        for path in sorted(PACKAGE.rglob("*.py"))
        if "migrations" not in path.parts
    }


MODULES = sources()


def imports(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and absolute name of all that is imported anywhere in ``tree``."""
    path = MODULES[module]
    package = [NAME, *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{origin}.{alias.name}"
                is_module = whole.removeprefix(f"{NAME}.") in MODULES
                yield node.lineno, whole if is_module else origin


def own(name: str) -> str | None:
    """The name as the table has it, if it is one of ours."""
    if name == NAME:
        return NAME
    return name.removeprefix(f"{NAME}.") if name.startswith(f"{NAME}.") else None


def test_every_module_has_its_place_in_the_table() -> None:
    assert set(MODULES) == set(RANK)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module: str) -> None:
    """An upward import is how a small package becomes one that nobody can change."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    upward = [
        f"line {line}: {module} imports {found}"
        for line, name in imports(module, tree)
        if (found := own(name)) is not None and RANK[found] >= RANK[module]
    ]
    assert upward == []


@pytest.mark.parametrize("module", MODULES)
def test_no_import_hides_in_a_function(module: str) -> None:
    """A late import is a cycle that somebody made invisible. ``ready`` is Django's own way."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    hidden = [
        f"line {line}: {name}"
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        and not (module == "apps" and getattr(function, "name", "") == "ready")
        for line, name in imports(module, function)
        if own(name) is not None
    ]
    assert hidden == []


def test_there_are_no_cycles() -> None:
    """Also where the table is wrong: followed by the imports themselves."""
    graph = {
        module: {
            found
            for _line, name in imports(module, ast.parse(path.read_text(encoding="utf-8")))
            if (found := own(name)) is not None
        }
        for module, path in MODULES.items()
    }
    left = dict(graph)
    while free := [module for module, needs in left.items() if not needs & set(left)]:
        for module in free:
            del left[module]
    assert left == {}


@pytest.mark.parametrize("banned", ["utils", "helpers", "services", "common", "misc", "tools"])
def test_no_module_is_named_after_nothing(banned: str) -> None:
    """Design §3: a module says what it is about."""
    assert not [module for module in MODULES if banned in module.split(".")]


def test_the_core_imports_the_standard_library_only() -> None:
    foreign = {
        name
        for module in ("consent", "decision", "changes", "seal")
        for _line, name in imports(module, ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if name.partition(".")[0] not in {*sys.stdlib_module_names, NAME}
    }
    assert foreign == set()


def test_the_core_runs_where_there_is_no_django() -> None:
    """It is what an auditor's script or another framework would use."""
    code = (
        "import sys\n"
        "sys.modules['django'] = sys.modules['wagtail'] = None\n"
        "from wagtail_cookie_charter.decision import decode\n"
        "assert decode('1.1.0.media').allows('media')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGE.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["apps", "wagtail_hooks"])
def test_what_registers_only_registers(module: str) -> None:
    """Design §3: these are tables of contents; whoever looks for behaviour looks elsewhere."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            assert len(function.body) <= 3, function.name
    assert not any(isinstance(node, (ast.While, ast.Try, ast.ListComp)) for node in ast.walk(tree))
