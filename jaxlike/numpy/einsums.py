"""einsum: sums of products in Einstein's notation, as a sequence of contractions.

Up to two operands need no path; for more, opt_einsum (imported then) finds the order.
A term is a string of labels, one an axis; labels are single characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.composites import composite
from jaxlike.numpy.products import contract, result_dtype
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    check_arraylike,
    convert,
    shape_of,
    to_arrays,
)
from jaxlike.primitives import reductions, shapes
from jaxlike.primitives.precision import PrecisionLike
from jaxlike.primitives.slicing import slice as lax_slice

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

Shapes = tuple[tuple[int, ...], ...]


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: PrecisionLike = None,
    preferred_element_type: DTypeLike | None = None,
    _dot_general: Any = None,
    out_sharding: None = None,
) -> Array:
    """Sums of products, as written: "ij,jk->ik" is a matrix product.

    Args:
      subscripts: a term of labels for each operand, and after "->" the result's; labels
        the result lacks are summed over. Without "->", the result has those that occur
        once, sorted. "..." stands for axes that broadcast. A label twice in a term
        means a diagonal.
      operands: arrays; or, without `subscripts`, each followed by a list of ints.
      optimize: how opt_einsum orders the products of three and more operands: a
        strategy's name, True, False or a path.
      preferred_element_type: the dtype to add in and return.
    Raises: ValueError for terms that do not suit the operands.

    >>> import jaxlike.numpy as jnp
    >>> jnp.einsum("ij,j", jnp.ones((2, 3)), jnp.arange(3.0))
    Array([3., 3.], dtype=float32)
    """
    if out is not None:
        raise NotImplementedError(
            format_error("einsum takes no out", try_="x = jnp.einsum(...)")
        )
    subscripts, operands = _as_text(subscripts, operands)
    try:
        run = _einsum_of(subscripts, optimize, precision, preferred_element_type)
    except TypeError:  # a path is a list
        return _einsum(
            subscripts, operands, optimize, precision, preferred_element_type
        )
    return run(*operands)


@lru_cache(maxsize=256)
def _einsum_of(subscripts: str, optimize: Any, precision: Any, preferred: Any) -> Any:
    """einsum with these settings, which is quick in eager mode."""
    return composite(
        lambda *operands: _einsum(subscripts, operands, optimize, precision, preferred)
    )


def _einsum(
    subscripts: str,
    operands: Sequence[Any],
    optimize: Any,
    precision: PrecisionLike,
    preferred_element_type: DTypeLike | None,
) -> Any:
    arrays = to_arrays("einsum", *operands)
    if not arrays:
        raise ValueError(format_error("einsum needs at least one operand"))
    terms, result = parse(subscripts, tuple(x.shape for x in arrays))
    if len(arrays) < 3:
        path: Any = [tuple(range(len(arrays)))]
    else:
        path, _ = _find_path(terms, result, [x.shape for x in arrays], optimize)
    options = dict(precision=precision, preferred_element_type=preferred_element_type)
    if preferred_element_type is None and len(arrays) > 1:
        dtype, weak = dtypes.lattice_result_type(*arrays)
    else:
        dtype, weak = result_dtype(arrays[0], arrays[-1], preferred_element_type)
    terms = list(terms)
    for step in path:
        step = sorted(step, reverse=True)
        chosen = [(terms.pop(i), arrays.pop(i)) for i in step]
        wanted = "".join(terms) + result
        if len(chosen) == 1:
            chosen.append(("", None))
        while len(chosen) > 2:  # a path may take several at once
            rest = wanted + "".join(term for term, _ in chosen[2:])
            chosen = [_pair(chosen[0], chosen[1], rest, options), *chosen[2:]]
        last = result if not terms else None
        term, x = _pair(chosen[0], chosen[1], wanted, options, last)
        terms.append(term)
        arrays.append(x)
    [x] = arrays
    x = shapes.transpose(x, [terms[0].index(label) for label in result])
    return convert(x, dtype, weak)


def einsum_path(
    subscripts: Any, /, *operands: Any, optimize: Any = "auto"
) -> tuple[list[tuple[int, ...]], Any]:
    """The order in which `einsum` would multiply, and opt_einsum's account of it.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.ones((2, 2))
    >>> path, info = jnp.einsum_path("ij,jk,kl", x, x, x)
    >>> path
    [(0, 1), (0, 1)]
    """
    subscripts, operands = _as_text(subscripts, operands)
    check_arraylike("einsum_path", *operands)
    sizes = [shape_of(x) for x in operands]
    terms, result = parse(subscripts, tuple(sizes))
    return _find_path(terms, result, sizes, optimize)


def _find_path(
    terms: Sequence[str], result: str, sizes: Sequence[tuple[int, ...]], optimize: Any
) -> tuple[list[tuple[int, ...]], Any]:
    import opt_einsum

    if isinstance(optimize, bool):
        # no order asked for: from the left, one after another
        optimize = (
            "optimal"
            if optimize
            else [(0, 1)] + [(0, n - 1) for n in range(len(terms) - 1, 1, -1)]
        )
    return opt_einsum.contract_path(
        ",".join(terms) + "->" + result, *sizes, shapes=True, optimize=optimize
    )


# --- reading the terms


def _as_text(subscripts: Any, operands: tuple) -> tuple[str, tuple]:
    """The form with a string, from the form with lists of ints."""
    if isinstance(subscripts, str):
        return subscripts, operands
    everything = [subscripts, *operands]
    output = [everything.pop()] if len(everything) % 2 else []
    lists = [*everything[1::2], *output]
    labels: dict[Any, str] = {}
    for item in (item for row in lists for item in row if item is not Ellipsis):
        if item not in labels and not isinstance(item, (int, np.integer)):
            raise TypeError(
                format_error(
                    "einsum takes a string, or operands each followed by a list of "
                    f"ints; got {item!r} in a list"
                )
            )
        labels.setdefault(item, "")
    # sorted, so that a result that is not spelled out has the order NumPy gives it
    for i, item in enumerate(sorted(labels)):
        labels[item] = _label(i)
    texts = [
        "".join("..." if item is Ellipsis else labels[item] for item in row)
        for row in lists
    ]
    if output:
        return ",".join(texts[:-1]) + "->" + texts[-1], tuple(everything[::2])
    return ",".join(texts), tuple(everything[::2])


def _label(i: int) -> str:
    return _LETTERS[i] if i < len(_LETTERS) else chr(i + 140)


@lru_cache(maxsize=1024)
def parse(subscripts: str, sizes: Shapes) -> tuple[tuple[str, ...], str]:
    """A term of labels for each operand, and the result's, without ellipses.

    Raises: ValueError if the terms do not suit operands of these shapes.
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(sizes):
        raise ValueError(
            format_error(
                f"einsum got {len(terms)} subscripts for {len(sizes)} operands"
            )
        )
    used = set(text)
    spare = (label for label in map(_label, range(10_000)) if label not in used)
    rank = 0
    for term, shape in zip(terms, sizes):
        if "." in term:
            rank = max(rank, len(shape) - len(term.replace("...", "", 1)))
    dots = "".join(next(spare) for _ in range(rank))
    for i, (term, shape) in enumerate(zip(terms, sizes)):
        named = term.replace("...", "", 1)
        if "." in named:
            raise ValueError(
                format_error(f"Invalid ellipses in einsum subscript {term!r}")
            )
        count = len(shape) - len(named)
        if count < 0 or (named == term and count):
            raise ValueError(
                format_error(
                    f"einsum: '{term}' does not name each axis of operand {i}, of "
                    f"shape {shape}"
                )
            )
        terms[i] = term.replace("...", dots[rank - count :])
    if arrow:
        result = right.replace("...", dots)
    else:
        counts = Counter("".join(terms))
        once = sorted(c for c in counts if counts[c] == 1 and c not in dots)
        result = dots + "".join(once)
    _check(terms, result, sizes)
    return tuple(terms), result


def _check(terms: Sequence[str], result: str, sizes: Shapes) -> None:
    known = set("".join(terms))
    for label in result:
        if label not in known:
            raise ValueError(
                format_error(f"einsum: '{label}' of the result is in no operand")
            )
        if result.count(label) > 1:
            raise ValueError(format_error(f"einsum: '{label}' is twice in the result"))
    size_of: dict[str, int] = {}
    for i, (term, shape) in enumerate(zip(terms, sizes)):
        for label, n in zip(term, shape):
            before = size_of.get(label, 1)
            if n != before and n != 1 and before != 1:
                raise ValueError(
                    format_error(
                        f"Size of label '{label}' for operand {i} ({n}) does not "
                        f"match previous terms ({before})."
                    )
                )
            size_of[label] = before if n == 1 else n


# --- one contraction


def _pair(
    first: tuple[str, Any],
    second: tuple[str, Any],
    wanted: str,
    options: dict,
    result: str | None = None,
) -> tuple[str, Any]:
    """Multiply two operands and sum over the labels that are not wanted later.

    Returns: the product's term and the product. `result`: the order to aim at.
    """
    (a_term, a), (b_term, b) = first, second
    a_term, a = _take_diagonals(a_term, a)
    if b is None:
        return _sum_out(a_term, a, wanted)
    b_term, b = _take_diagonals(b_term, b)
    a_term, a = _drop_stretched(a_term, a, b_term, b)
    b_term, b = _drop_stretched(b_term, b, a_term, a)
    a_term, a = _sum_out(a_term, a, wanted + b_term)
    b_term, b = _sum_out(b_term, b, wanted + a_term)
    shared = [label for label in a_term if label in b_term]
    batch = [label for label in shared if label in wanted]
    summed = [label for label in shared if label not in wanted]
    a_rest = [label for label in a_term if label not in shared]
    b_rest = [label for label in b_term if label not in shared]
    if result is not None:
        batch.sort(key=result.index)
        if "".join(batch + b_rest + a_rest) == result:
            a_term, a, a_rest, b_term, b, b_rest = b_term, b, b_rest, a_term, a, a_rest
    out = contract(
        a,
        b,
        tuple(tuple(term.index(c) for c in summed) for term in (a_term, b_term)),
        tuple(tuple(term.index(c) for c in batch) for term in (a_term, b_term)),
        **options,
    )
    return "".join(batch + a_rest + b_rest), out


def _take_diagonals(term: str, x: Any) -> tuple[str, Any]:
    """The diagonal over each label that occurs more than once."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            i = term.index(label)
            j = term.index(label, i + 1)
            n = max(x.shape[i], x.shape[j])
            rest = [k for k in range(x.ndim) if k not in (i, j)]
            if x.shape[i] != x.shape[j]:  # one of them has size 1 and stretches
                gone = i if x.shape[i] == 1 else j
                x = shapes.squeeze(x, (gone,))
                term = term[:gone] + term[gone + 1 :]
                continue
            # the diagonal is every (n + 1)th element of the flattened matrix
            x = shapes.transpose(x, (*rest, i, j))
            lead = x.shape[:-2]
            x = shapes.reshape(x, (*lead, n * n))
            if n > 1:
                zeros, ones = (0,) * len(lead), (1,) * len(lead)
                x = lax_slice(x, (*zeros, 0), x.shape, (*ones, n + 1))
            term = "".join(term[k] for k in rest) + label
    return term, x


def _drop_stretched(term: str, x: Any, other: str, y: Any) -> tuple[str, Any]:
    """Without the axes of size 1 that the other operand stretches."""
    gone = [
        i
        for i, label in enumerate(term)
        if x.shape[i] == 1 and label in other and y.shape[other.index(label)] != 1
    ]
    if not gone:
        return term, x
    kept = "".join(label for i, label in enumerate(term) if i not in gone)
    return kept, shapes.squeeze(x, tuple(gone))


def _sum_out(term: str, x: Any, wanted: str) -> tuple[str, Any]:
    """Sum over the axes whose labels are not wanted."""
    axes = tuple(i for i, label in enumerate(term) if label not in wanted)
    if not axes:
        return term, x
    total = reductions.reduce_or if x.dtype == np.bool_ else reductions.reduce_sum
    return "".join(label for label in term if label in wanted), total(x, axes)


__all__ = ["ArrayLike", "einsum", "einsum_path"]
