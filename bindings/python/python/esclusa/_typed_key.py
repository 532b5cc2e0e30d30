"""Keys that know the type of the values that their flag serves: what `esclusa codegen python` writes."""

from __future__ import annotations

from typing import Generic, TypeVar

Served = TypeVar("Served", covariant=True)


class TypedKey(str, Generic[Served]):
    """A key whose flag serves values of one type. It is a text, and names its flag wherever a text does.

    >>> from esclusa import Flags
    >>> LAYOUT = TypedKey[str]("layout")
    >>> flags = Flags()
    >>> report = flags.publish('[{"name": "layout", "enabled": true, "variants": [{"key": "a", "value": "grid"}]}]')
    >>> flags.value(LAYOUT, {"user": "user-42"}, "list")
    'grid'
    """

    __slots__ = ()
