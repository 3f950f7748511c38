"""A floor imports only from floors below it: read from the source, not by importing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# the longest matching prefix decides
FLOORS = {
    "jaxlike.core": 0,
    "jaxlike.primitives": 1,
    "jaxlike.transforms": 2,
    "jaxlike.control_flow": 3,
    "jaxlike.backends": 3,
    "jaxlike": 4,
}
FACE = "jaxlike"  # jaxlike/__init__.py itself
HEAVY = ("numba", "cupy", "llvmlite", "scipy", "jax", "opt_einsum")


def modules():
    for folder, package in (
        ("jaxlike", "jaxlike"),
        ("transforms", "jaxlike.transforms"),
        ("backends", "jaxlike.backends"),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            yield ".".join((package, *parts)), path


def floor_of(module: str) -> int:
    if module == FACE:
        return 5
    prefix = max(
        (p for p in FLOORS if module == p or module.startswith(p + ".")), key=len
    )
    return FLOORS[prefix]


def imports(path: Path):
    """(module, line, at_top_level) of each absolute import."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
    }
    inside |= {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        top = id(node) not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno, top
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            if node.module == "jaxlike":
                for alias in node.names:
                    yield f"jaxlike.{alias.name}", node.lineno, top
            else:
                yield node.module, node.lineno, top


MODULES = dict(modules())


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    mine = floor_of(module)
    wrong = []
    for target, line, top in imports(MODULES[module]):
        if not target.startswith("jaxlike"):
            continue
        known = target in MODULES or target.rpartition(".")[0] in MODULES
        if not known or target == FACE:
            continue
        if floor_of(target) > mine:
            wrong.append(f"line {line}: {target}" + ("" if top else " (inside)"))
    assert not wrong, f"{module} is on floor {mine} and imports upwards: {wrong}"


@pytest.mark.parametrize("module", [m for m in MODULES if floor_of(m) <= 2])
def test_lower_floors_know_no_machine(module):
    names = [target.split(".")[0] for target, _, _ in imports(MODULES[module])]
    assert not {"numba", "cupy", "llvmlite", "jax"} & set(names)


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_load_on_first_use(module):
    if module.startswith("jaxlike.backends"):
        return
    for target, line, top in imports(MODULES[module]):
        if top and target.split(".")[0] in HEAVY:
            pytest.fail(f"{module}:{line} imports {target} when it is imported")


def test_packages_say_what_they_hold():
    for module, path in MODULES.items():
        if path.name == "__init__.py":
            doc = ast.get_docstring(ast.parse(path.read_text())) or ""
            assert len(doc.splitlines()) >= 3, f"{module}: three lines, please"
            assert "may import" in doc.lower(), f"{module}: say what it may import"
