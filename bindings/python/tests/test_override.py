"""Overriding flags in tests: every way of asking, threads, tasks, and the fixtures."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import Any

import pytest
from esclusa import Context, Flags, Resolution
from esclusa.pytest_plugin import Override


@pytest.fixture
def flags() -> Flags:
    flags = Flags()
    flags.publish('[{"name": "a", "enabled": true}, {"name": "b", "enabled": false}]')
    return flags


def test_every_way_of_asking(flags: Flags) -> None:
    with flags.override({"a": False, "b": True, "new": {"value": {"n": [1]}, "variant": "v"}}):
        assert flags.is_enabled("a") is False
        assert flags.is_enabled("a", Context("u"), True) is False
        assert flags.is_enabled("b", {"user": "u"}) is True
        assert flags.is_enabled("new", 5) is True  # type: ignore[arg-type]
        assert flags.value("a", default="mine") is False
        assert flags.value("new") == {"n": [1]}
        assert flags.variant("new") == "v"
        assert flags.variant("b", default="mine") is None
        on = Resolution(enabled=True, value=True, reason="STATIC")
        assert flags.resolve("b") == on
        assert flags.explain("b").resolution == on
        assert flags.explain("b").first_no is None
        assert flags.explain("a").first_no is not None
        assert (flags.explain("a").first_no_code, flags.explain("b").first_no_code) == ("test-override", None)
        assert "override" in str(flags.explain("a"))
        new = Resolution(enabled=True, value={"n": [1]}, variant="v", reason="STATIC")
        off = Resolution(enabled=False, value=False, reason="STATIC")
        assert flags.resolve_all() == {"a": off, "b": on, "new": new}
        assert flags.project() == {
            "a": {"enabled": False, "value": False},
            "b": {"enabled": True, "value": True},
            "new": {"enabled": True, "value": {"n": [1]}, "variant": "v"},
        }
        assert flags.project(keys=["b", "missing"]) == {"b": {"enabled": True, "value": True}}
        flags.value("new")["n"].append(2)
        flags.resolve("new").value["n"].append(2)
        assert flags.value("new") == {"n": [1]}
        assert flags.keys() == ["a", "b"] and "new" not in flags and len(flags) == 2
        assert flags.is_enabled(None) is False  # type: ignore[arg-type]
    assert (flags.is_enabled("a"), flags.is_enabled("b"), flags.is_enabled("new")) == (True, False, False)
    assert flags.value("new", default="mine") == "mine"


def test_answers_that_an_override_may_give(flags: Flags) -> None:
    with flags.override({"a": {}, "b": {"enabled": False, "value": "off"}, "c": {"enabled": False}}):
        assert flags.resolve("a") == Resolution(enabled=True, value=True, reason="STATIC")
        assert flags.resolve("b") == Resolution(enabled=False, value="off", reason="STATIC")
        assert flags.resolve("c") == Resolution(enabled=False, value=False, reason="STATIC")


@pytest.mark.parametrize(
    "overrides",
    [
        {"a": 1},
        {"a": None},
        {"a": "b"},
        {5: True},
        {"a": {"values": 1}},
        {"a": {"enabled": 1}},
        {"a": {"variant": 1}},
        {"a": {"value": object()}},
        {"a": {"value": float("nan")}},
    ],
)
def test_what_is_no_answer_raises(flags: Flags, overrides: Any) -> None:
    with pytest.raises(TypeError, match="override"), flags.override(overrides):
        raise AssertionError("the block is not entered")
    assert flags.is_enabled("a")


@pytest.mark.parametrize("overrides", [None, "a", ["a"], True])
def test_overrides_that_are_no_mapping(flags: Flags, overrides: Any) -> None:
    expected = f"^expected the overrides as a mapping of keys to answers, got {type(overrides).__name__}$"
    with pytest.raises(TypeError, match=expected), flags.override(overrides):
        raise AssertionError("the block is not entered")
    assert flags.is_enabled("a")


def test_before_anything_is_published() -> None:
    flags = Flags()
    with flags.override({"a": True}):
        assert flags.is_enabled("a")
        assert not flags.is_ready
        assert flags.resolve("b").error_code == "PROVIDER_NOT_READY"


def test_blocks_nest_and_end_with_an_error_too(flags: Flags) -> None:
    with flags.override({"a": False, "b": True}):
        with pytest.raises(ZeroDivisionError), flags.override({"b": False, "c": True}):
            assert [flags.is_enabled(key) for key in "abc"] == [False, False, True]
            flags.publish('[{"name": "a", "enabled": true}]')
            assert [flags.is_enabled(key) for key in "abc"] == [False, False, True]
            raise ZeroDivisionError
        assert [flags.is_enabled(key) for key in "abc"] == [False, True, False]
    assert [flags.is_enabled(key) for key in "abc"] == [True, False, False]


def test_handles_do_not_share_overrides(flags: Flags) -> None:
    other = Flags()
    with flags.override({"a": True}), other.override({"b": True}):
        assert (other.is_enabled("a"), flags.is_enabled("b")) == (False, False)


def test_as_a_decorator(flags: Flags) -> None:
    @flags.override({"b": True})
    def ask() -> bool:
        return flags.is_enabled("b")

    assert (ask(), flags.is_enabled("b"), ask()) == (True, False, True)


def test_threads_see_nothing_of_each_other(flags: Flags) -> None:
    inside, ended, seen = threading.Barrier(2), threading.Event(), dict[str, bool]()

    def override() -> None:
        with flags.override({"b": True}):
            inside.wait()
            seen["overriding"] = flags.is_enabled("b")
            ended.wait()

    thread = threading.Thread(target=override)
    thread.start()
    inside.wait()
    for _ in range(1000):
        assert not flags.is_enabled("b")
        assert not flags.resolve("b").enabled
    ended.set()
    thread.join()
    assert seen == {"overriding": True}

    with flags.override({"b": True}):
        results: list[bool] = []

        def ask() -> None:
            results.append(flags.is_enabled("b"))

        for thread in (threading.Thread(target=ask), threading.Thread(target=contextvars.copy_context().run, args=(ask,))):
            thread.start()
            thread.join()
    # From Python 3.14 on, threads may be told to begin with their maker's context.
    assert results == [bool(getattr(sys.flags, "thread_inherit_context", False)), True]


def test_tasks_see_nothing_of_each_other(flags: Flags) -> None:
    async def override(answer: bool, turns: int) -> None:
        with flags.override({"a": answer, "b": answer}):
            for _ in range(turns):
                await asyncio.sleep(0)
                assert flags.is_enabled("a") is answer
                assert flags.resolve("b").enabled is answer

    async def ask(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
            assert (flags.is_enabled("a"), flags.is_enabled("b")) == (True, False)

    async def main() -> None:
        await asyncio.gather(override(True, 50), override(False, 70), ask(100), override(True, 20))

    asyncio.run(main())


def test_a_task_that_outlives_the_block(flags: Flags) -> None:
    async def main() -> None:
        go, seen = asyncio.Event(), list[bool]()

        async def task() -> None:
            seen.append(flags.is_enabled("b"))
            await go.wait()
            seen.append(flags.is_enabled("b"))
            with flags.override({"a": False}):
                seen.extend([flags.is_enabled("a"), flags.is_enabled("b")])

        with flags.override({"b": True}):
            running = asyncio.create_task(task())
            await asyncio.sleep(0)
        with flags.override({"a": True}):
            go.set()
            await running
        assert seen == [True, False, False, False]

    asyncio.run(main())


def test_a_block_that_ends_in_another_context(flags: Flags) -> None:
    block = flags.override({"b": True})
    contextvars.copy_context().run(block.__enter__)
    assert not flags.is_enabled("b")
    block.__exit__(None, None, None)
    assert not flags.is_enabled("b")


def test_fixture_of_flags(esclusa_flags: Flags) -> None:
    assert esclusa_flags.is_ready and len(esclusa_flags) == 0
    with esclusa_flags.override({"crm": True}):
        assert esclusa_flags.is_enabled("crm")
    esclusa_flags.publish('[{"name": "crm", "enabled": true}]')
    assert esclusa_flags.is_enabled("crm")


APP = Flags()


@pytest.mark.parametrize("answer", [True, False, True])
def test_fixture_that_overrides(esclusa_override: Override, answer: bool) -> None:
    assert APP.resolve("crm").error_code == "PROVIDER_NOT_READY"
    esclusa_override(APP, {"crm": answer})
    esclusa_override(APP, {"other": True})
    assert APP.resolve("crm").enabled is answer
    assert APP.is_enabled("other")
