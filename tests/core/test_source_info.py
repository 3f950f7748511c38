"""Where equations come from, and which frames a traceback shows."""

import functools
import os
import pickle
import sys
import timeit
import traceback

import pytest

from jaxlike.core import source_info
from jaxlike.core.config import config

PACKAGE = os.path.dirname(os.path.dirname(source_info.__file__))


def internal(source, file="invented.py", folder=PACKAGE):
    """Functions that pass for jaxlike's own."""
    namespace = {"source_info": source_info}
    exec(compile(source, os.path.join(folder, file), "exec"), namespace)
    return namespace


INSIDE = internal(
    """
def bind(depth=0):
    return bind(depth - 1) if depth else source_info.current()

@source_info.api_boundary
def api(fun, *args):
    return call(fun, *args)

def call(fun, *args):
    return fun(*args)

@source_info.api_boundary
def refuse():
    return raise_it()

def raise_it():
    raise ValueError("no")

@source_info.api_boundary
def slip():
    return [].nope
"""
)


@pytest.fixture
def filtering():
    previous = config.traceback_filtering
    yield lambda mode: config.update("traceback_filtering", mode)
    config.update("traceback_filtering", previous)


def frames(error):
    return [
        (os.path.basename(f.f_code.co_filename), f.f_code.co_name)
        for f, _ in traceback.walk_tb(error.__traceback__)
    ]


class Model:
    def loss(self):
        return INSIDE["bind"](3)


def test_current_skips_our_frames_and_resolves_to_the_users_line():
    place = source_info.resolve(Model().loss())
    assert place.file == __file__
    assert place.function == "Model.loss"
    assert place.text == 'return INSIDE["bind"](3)'
    summary = source_info.summarize(Model().loss())
    assert summary == f"test_source_info.py:{place.line} (Model.loss)"


def test_several_lines_of_one_function_are_told_apart():
    first = INSIDE["bind"]()
    second = INSIDE["bind"]()
    lines = [source_info.resolve(i).line for i in (first, second)]
    assert lines[1] == lines[0] + 1


def test_nested_functions_have_short_names():
    def step():
        return INSIDE["bind"]()

    assert source_info.resolve(step()).function == "step"


@pytest.mark.parametrize("name", ["transforms", "backends"])
def test_the_sibling_folders_are_ours_in_a_checkout(name):
    module = __import__(f"jaxlike.{name}", fromlist=["x"])
    folder = os.path.dirname(module.__file__)
    fun = internal("def f(): return source_info.current()", "made_up.py", folder)["f"]
    assert source_info.resolve(fun()).file == __file__
    for neighbour in ("tests", "examples", f"{name}_of_mine"):
        path = os.path.join(os.path.dirname(folder), neighbour, "train.py")
        assert not source_info.is_internal(path)


def test_register_internal():
    fun = internal("def f(): return source_info.current()", "l.py", "/our/layers")["f"]
    assert source_info.resolve(fun()).file == "/our/layers/l.py"
    source_info.register_internal("/our/layers")
    assert source_info.resolve(fun()).file == __file__
    assert not source_info.is_internal("/our/layers_too/l.py")


def test_no_user_frame():
    assert source_info.resolve(None) is None
    assert source_info.summarize(None) == "<unknown>"


def test_override_names_another_place():
    place = Model().loss()
    with source_info.override(place):
        assert source_info.here() is place
        with source_info.override(None):
            assert source_info.here() is place
    assert source_info.here() is not place


def test_of_function_looks_through_wrappers():
    def loss():
        pass

    wrapped = functools.partial(functools.lru_cache(loss))
    assert source_info.resolve(source_info.of_function(wrapped)).function == "loss"
    assert source_info.of_function(len) is None


def test_current_is_cheap():
    costs = timeit.repeat(functools.partial(INSIDE["bind"], 3), number=1000, repeat=7)
    assert min(costs) / 1000 < 5e-6


def go():
    return INSIDE["api"](lambda: INSIDE["refuse"]())


@pytest.mark.parametrize("mode", ["auto", "remove_frames", "quiet_remove_frames"])
def test_our_frames_are_hidden(filtering, mode):
    filtering(mode)
    with pytest.raises(ValueError, match="no") as caught:
        go()
    mine = "test_source_info.py"
    assert frames(caught.value)[1:] == [(mine, "go"), (mine, "<lambda>")]
    assert bool(getattr(caught.value, "__notes__", ())) == (mode == "remove_frames")


def test_nothing_is_hidden_when_off(filtering):
    filtering("off")
    with pytest.raises(ValueError, match="no") as caught:
        go()
    names = [name for _, name in frames(caught.value)]
    assert {"call", "raise_it", "refuse"} <= set(names)


def test_tracebackhide_marks_frames(filtering):
    filtering("tracebackhide")
    with pytest.raises(ValueError, match="no") as caught:
        go()
    for frame, _ in traceback.walk_tb(caught.value.__traceback__):
        ours = source_info.is_internal(frame.f_code.co_filename)
        if frame.f_code.co_name != "api_boundary_wrapper":
            assert frame.f_locals.get("__tracebackhide__", False) == ours


def test_our_own_mistakes_keep_their_frames(filtering):
    filtering("auto")
    with pytest.raises(AttributeError) as caught:
        INSIDE["api"](lambda: INSIDE["slip"]())
    names = [name for _, name in frames(caught.value)]
    assert names[-1] == "slip"
    assert "call" not in names


def test_the_users_mistakes_end_at_the_users_line(filtering):
    filtering("auto")
    with pytest.raises(ZeroDivisionError) as caught:
        INSIDE["api"](lambda: 1 / 0)
    assert frames(caught.value)[-1][1] == "<lambda>"
    assert len(frames(caught.value)) == 2


def test_boundary_keeps_the_function():
    assert INSIDE["api"].__name__ == "api"
    assert INSIDE["api"](max, 1, 2) == 2
    assert pickle.loads(pickle.dumps(source_info.api_boundary)) is (
        source_info.api_boundary
    )
    assert sys.exc_info() == (None, None, None)
