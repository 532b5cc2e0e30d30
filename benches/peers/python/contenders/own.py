"""Esclusa itself, asked in each of the ways that its README shows, and a native method that does nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from esclusa import Context, Flags, _native
from population import Caller, Population

from . import Contender, Unable

WITHOUT = "the prebuilt context is that of `esclusa`"


class Plain(Contender):
    """A dict for one answer, or a `Context` for many."""

    about = "is_enabled with a prebuilt Context; built: with a dict that says `role`"

    def __init__(self, population: Population) -> None:
        row = {
            "name": population.key,
            "enabled": True,
            "rollout_percentage": population.percentage,
            "target_plans": population.plans,
            "target_roles": population.roles,
            "target_regions": population.regions,
        }
        self._flags, self._key = Flags(), population.key
        self._flags.publish(json.dumps([row]))

    def context(self, caller: Caller) -> Any:
        user, company, plan, role, region = caller
        return Context(user, company=company, plan=plan, roles=[role], region=region)

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        is_enabled, key = self._flags.is_enabled, self._key
        return [is_enabled(key, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled, key = self._flags.is_enabled, self._key
        return [
            is_enabled(key, {"user": user, "company": company, "plan": plan, "role": role, "region": region})
            for user, company, plan, role, region in callers
        ]


class Built(Plain):
    """A `Context` for one answer."""

    about = "built: is_enabled with a Context that is made for this answer"

    def context(self, caller: Caller) -> Any:
        raise Unable(WITHOUT)

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled, key = self._flags.is_enabled, self._key
        return [
            is_enabled(key, Context(user, company=company, plan=plan, roles=[role], region=region))
            for user, company, plan, role, region in callers
        ]


class Value(Plain):
    """The value instead of whether it is on."""

    about = "value instead of is_enabled"

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        value, key = self._flags.value, self._key
        return [value(key, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        value, key = self._flags.value, self._key
        return [
            value(key, {"user": user, "company": company, "plan": plan, "role": role, "region": region})
            for user, company, plan, role, region in callers
        ]


class Resolve(Plain):
    """The whole resolution."""

    about = "resolve instead of is_enabled"

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        resolve, key = self._flags.resolve, self._key
        return [resolve(key, context).enabled for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        resolve, key = self._flags.resolve, self._key
        return [
            resolve(key, {"user": user, "company": company, "plan": plan, "role": role, "region": region}).enabled
            for user, company, plan, role, region in callers
        ]


class Roles(Built):
    """A dict with a list of roles."""

    about = "built: is_enabled with a dict that has a list of roles"

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled, key = self._flags.is_enabled, self._key
        return [
            is_enabled(key, {"user": user, "company": company, "plan": plan, "roles": [role], "region": region})
            for user, company, plan, role, region in callers
        ]


class Sets(Built):
    """A dict with a set of roles, which the binding copies into a list."""

    about = "built: is_enabled with a dict that has a set of roles"

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        is_enabled, key = self._flags.is_enabled, self._key
        return [
            is_enabled(key, {"user": user, "company": company, "plan": plan, "roles": {role}, "region": region})
            for user, company, plan, role, region in callers
        ]


class Uuid(Plain):
    """A dict whose user is a `UUID`: made beforehand, because an app has it from its database."""

    about = "prebuilt: is_enabled with a dict that is there already and whose user is a UUID"

    def context(self, caller: Caller) -> Any:
        return {**caller._asdict(), "user": UUID(caller.user)}

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        raise Unable("an app has the UUID from its database, so its dict is prebuilt here")


class Noop(Plain):
    """The least that a call into native code costs."""

    about = "a native method of two arguments that does nothing, in a wheel with the feature `noop`"
    decides = False

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        kind = getattr(_native, "Noop", None)  # no stub has it
        self._call = kind().call if kind else None

    def context(self, caller: Caller) -> Any:
        if self._call is None:
            raise Unable("the wheel was built without the feature `noop`")
        return super().context(caller)

    def prebuilt(self, contexts: Sequence[Any]) -> list[bool]:
        call, key = self._call, self._key
        assert call is not None
        return [call(key, context) for context in contexts]

    def built(self, callers: Sequence[Caller]) -> list[bool]:
        raise Unable("it looks at no context")
