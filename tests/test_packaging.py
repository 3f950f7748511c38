"""The package list matches the folders, and guards explain what went wrong."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def listed_packages():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return set(config["tool"]["setuptools"]["packages"])


def packages_on_disk():
    found = set()
    for folder, package in (
        ("jaxlike", "jaxlike"),
        ("transforms", "jaxlike.transforms"),
        ("backends", "jaxlike.backends"),
    ):
        for init in (ROOT / folder).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join((package, *parts)))
    return found


def test_every_package_is_listed():
    # one that is missing works in an editable install and vanishes from the wheel
    assert listed_packages() == packages_on_disk()


def test_every_folder_with_code_is_a_package():
    for folder in ("jaxlike", "transforms", "backends"):
        for path in (ROOT / folder).rglob("*.py"):
            assert (path.parent / "__init__.py").exists(), path.parent


@pytest.mark.parametrize("folder", ["transforms", "backends"])
def test_mapped_folders_refuse_their_own_name(folder):
    result = subprocess.run(
        [sys.executable, "-c", f"import {folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert f"import jaxlike.{folder}" in result.stderr


def test_import_without_install_says_what_to_do():
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in "
        "repr(f).lower()]; sys.path = ['.'] + [p for p in sys.path if 'site-packages' "
        "not in p or True]; import jaxlike"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode != 0
    assert "pip install -e ." in result.stderr


@pytest.mark.slow
def test_wheel_holds_the_package_alone_and_works(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT],
        check=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        tops = {name.split("/")[0] for name in names}
        assert all(t == "jaxlike" or t.endswith(".dist-info") for t in tops), tops
        assert "jaxlike/transforms/jit.py" in names
        assert "jaxlike/backends/plan/clusters.py" in names
        assert "jaxlike/py.typed" in names
        archive.extractall(tmp_path / "site")
    code = (
        "import jaxlike, jaxlike.numpy as jnp; "
        "assert 'site' in jaxlike.__file__, jaxlike.__file__; "
        "print(jaxlike.jit(jaxlike.grad(lambda x: jnp.sum(x ** 2)))(jnp.ones(3)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "site",
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.stdout.strip() == "[2. 2. 2.]", result.stderr
