"""Laying text out in lines: documents that know where they may be broken.

A document is text, a possible line break, a concatenation, an indentation, or a group;
a group goes on one line if it fits there, else all its breaks become new lines.
printer.py says which documents jaxprs are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Text(NamedTuple):
    """A piece of a line, with a remark for the margin."""

    text: str
    note: str | None = None


class Break(NamedTuple):
    """A new line where the group is broken, `flat` where it is not."""

    flat: str = " "


class Concat(NamedTuple):
    parts: Sequence[Doc]


class Nest(NamedTuple):
    """New lines inside are indented by `by` more."""

    by: int
    doc: Doc


class Group(NamedTuple):
    doc: Doc


Doc = Text | Break | Concat | Nest | Group

nothing = Concat(())


def concat(*parts: Doc) -> Doc:
    return Concat(parts)


def join(separator: Doc, docs: Iterable[Doc]) -> Doc:
    parts: list[Doc] = []
    for doc in docs:
        if parts:
            parts.append(separator)
        parts.append(doc)
    return Concat(parts)


def layout(doc: Doc, width: int = 80) -> str:
    """The document as text; remarks are lined up to the right of the longest line.

    >>> layout(Group(concat(Text("a"), Nest(2, concat(Break(), Text("b"))))), 2)
    'a\\n  b'
    """
    lines: list[str] = []
    notes: list[list[str]] = []
    line: list[str] = []
    remarks: list[str] = []
    column = 0
    # (indentation, whether on one line, document), the next one last
    todo: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while todo:
        indent, flat, doc = todo.pop()
        if type(doc) is Text:
            line.append(doc.text)
            column += len(doc.text)
            if doc.note is not None:
                remarks.append(doc.note)
        elif type(doc) is Concat:
            todo.extend([(indent, flat, d) for d in reversed(doc.parts)])
        elif type(doc) is Nest:
            todo.append((indent + doc.by, flat, doc.doc))
        elif type(doc) is Group:
            flat = flat or _fits(doc.doc, width - column)
            todo.append((indent, flat, doc.doc))
        elif flat:
            line.append(doc.flat)
            column += len(doc.flat)
        else:
            lines.append("".join(line))
            notes.append(remarks)
            line, remarks, column = [" " * indent], [], indent
    lines.append("".join(line))
    notes.append(remarks)
    return _with_notes(lines, notes)


def _fits(doc: Doc, room: int) -> bool:
    """Whether the document fits in `room` columns, with no break between two notes."""
    todo = [doc]
    broken = noted = False
    while todo:
        doc = todo.pop()
        if type(doc) is Text:
            room -= len(doc.text)
            if doc.note is not None:
                if noted and broken:
                    return False
                noted, broken = True, False
        elif type(doc) is Break:
            room -= len(doc.flat)
            broken = True
        elif type(doc) is Concat:
            todo.extend(reversed(doc.parts))
        else:
            todo.append(doc.doc)
        if room < 0:
            return False
    return True


def _with_notes(lines: list[str], notes: list[list[str]]) -> str:
    if not any(notes):
        return "\n".join(lines)
    column = max(map(len, lines))
    out = []
    for line, remarks in zip(lines, notes):
        if not remarks:
            out.append(line)
        for i, remark in enumerate(remarks):
            out.append(f"{'' if i else line:{column}} # {remark}")
    return "\n".join(out)
