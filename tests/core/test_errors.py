"""The error classes: their bases, their one form, and that text is made when read."""

import pickle

import pytest

from jaxlike import errors as public
from jaxlike.core import errors, explain, source_info
from jaxlike.core.avals import ShapedArray
from jaxlike.core.jaxpr import DebugInfo, JaxprEqn, Var
from jaxlike.core.staging import StagingTrace, StagingTracer

ABOUT_TRACERS = [
    errors.ConcretizationTypeError,
    errors.TracerBoolConversionError,
    errors.TracerArrayConversionError,
    errors.TracerIntegerConversionError,
    errors.NonConcreteBooleanIndexError,
]


class Named:
    name = "gt"


@pytest.fixture
def tracer():
    """`x > y` in a function `loss(x, y, z)` that is being traced."""
    trace = StagingTrace(DebugInfo("jit", "loss", ["x", "y", "z"]))
    scalar = ShapedArray((), "float32")
    x, y, _ = (trace.new_arg(scalar) for _ in range(3))
    out = Var(ShapedArray((), "bool"))
    trace.eqns.append(
        JaxprEqn([x.atom, y.atom], [out], Named, {}, source_info=source_info.current())
    )
    return StagingTracer(trace, out.aval, out)


def test_format_error_has_the_one_form():
    text = errors.format_error("bad", ["axis 0: 3 against 5"], None, "x[:3]")
    headline, detail, at, cure = text.split("\n")
    assert headline == "bad"
    assert detail == "  axis 0: 3 against 5"
    assert at.startswith("  at    test_errors.py:")
    assert at.endswith(
        'in test_format_error_has_the_one_form:  text = errors.format_error("bad", '
        '["axis 0: 3 against 5"], None, "x[:3]")'
    )
    assert cure == "  try:  x[:3]"
    assert errors.format_error("bad", source=False) == "bad"


@pytest.mark.parametrize("cls", ABOUT_TRACERS)
def test_messages_about_tracers(cls, tracer):
    lines = str(cls(tracer)).split("\n")
    assert "traced bool[]" in lines[0]
    assert lines[1].startswith("  at    test_errors.py:")
    assert lines[2] == "  under jit(loss)"
    assert lines[3] == "  it depends on argument x of loss, argument y of loss"
    assert lines[4].startswith("  it was made by gt at test_errors.py:")
    assert lines[5].startswith("  try:  ")


def test_an_argument_is_named(tracer):
    trace = tracer._trace
    argument = StagingTracer(trace, trace.invars[2].aval, trace.invars[2])
    text = str(errors.TracerBoolConversionError(argument))
    assert "it is argument z of loss" in text
    assert "depends" not in text


def test_the_context_is_in_the_headline(tracer):
    error = errors.ConcretizationTypeError(tracer, "the axis of sum")
    assert str(error).split("\n")[0].endswith("not known yet: the axis of sum")


@pytest.mark.parametrize("cls", ABOUT_TRACERS)
def test_text_is_made_once_when_read(cls, tracer, monkeypatch):
    made = []
    for name in ("value", "bool", "array", "int", "mask"):
        monkeypatch.setattr(
            explain, f"{name}_needed", lambda *about: made.append(about) or "text"
        )
    error = cls(tracer)
    assert made == []
    assert str(error) == str(error) == "text"
    assert len(made) == 1
    assert error.args == ("text",)
    assert error._about is None


@pytest.mark.parametrize("cls", ABOUT_TRACERS)
def test_pickling(cls, tracer):
    error = cls(tracer)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == str(error)
    assert repr(again).startswith(cls.__name__)


def test_messages_only():
    assert str(errors.UnexpectedTracerError("it leaked")) == "it leaked"
    assert pickle.loads(pickle.dumps(errors.KeyReuseError("twice"))).args == ("twice",)


def test_leaks_are_described_and_found(tracer):
    text = errors.leaked_message(tracer, Named)
    assert "used by gt after its transform has ended" in text
    assert "it belongs to jit(loss), which has returned" in text
    kept = tracer
    with pytest.raises(errors.UnexpectedTracerError, match="Leaked a traced bool"):
        errors.check_for_leaks(kept._trace)


def test_public_names_are_documented_and_say_where_they_live():
    for name in public.__all__:
        cls = getattr(public, name)
        assert cls.__module__ == "jaxlike.errors"
        assert cls.__doc__ and len(cls.__doc__.split("\n")) >= 1
