"""The README's code blocks run and print what they say."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_blocks_run():
    blocks = re.findall(r"```pycon\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 6
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags)
    test = doctest.DocTestParser().get_doctest(
        "\n".join(blocks), {}, "README", "README.md", 0
    )
    assert runner.run(test).failed == 0


def test_files_named_exist():
    root = Path(__file__).parent.parent
    for name in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (root / name).exists(), name
    folders = "jaxlike|transforms|backends|tests"
    for name in re.findall(rf"(?<!/)((?:{folders})/[\w/]+\.py)", README):
        assert (root / name).exists(), name
