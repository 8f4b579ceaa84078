# SPDX-License-Identifier: GPL-3.0-or-later
"""A field of parameters that says what its number is, and the table of all such fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from importlib import import_module
from typing import TypeVar

Value = TypeVar("Value", int, float)
STAGES = ("geometry", "evidence", "locate", "analyse", "correct", "shapes", "pipeline")
_KEY = "number"


@dataclass(frozen=True)
class Number:
    """What a parameter is.

    Args:
        group: the data class that holds it, with its stage: `correct.Lids`
        name: the field's name
        default: what is shipped
        unit: what it is counted in; "share" and "" for numbers without a unit
        low: the least value that makes sense
        high: the greatest value that makes sense
        source: a fit with its number of heads, a paper, a measurement, or who chose it by what
    """

    group: str
    name: str
    default: float
    unit: str
    low: float
    high: float
    source: str


def number(default: Value, unit: str, low: float, high: float, source: str) -> Value:
    """A field of a frozen data class of parameters.

    Args:
        default: what is shipped, between low and high
        unit: what it is counted in, such as "eye heights" or "half widths of the mouth"
        low: the least value that makes sense
        high: the greatest value that makes sense
        source: where the default comes from, in a sentence

    Raises:
        ValueError: the default is outside of its range
    """
    if not low <= default <= high:
        raise ValueError(f"{default} is not between {low} and {high}")
    value: Value = field(default=default, metadata={_KEY: (unit, low, high, source)})
    return value


def groups() -> Iterator[tuple[str, object]]:
    """The instances that the stages import, with stage and class: `correct.Lids`."""
    for stage in STAGES:  # a module, or a package whose modules' instances it imports
        module = import_module(f"{__package__}.{stage}")
        for instance in vars(module).values():
            if f"{type(instance).__module__}.".startswith(f"{module.__name__}."):
                yield f"{stage}.{type(instance).__name__}", instance


def numbers() -> Iterator[Number]:
    """Every parameter, in the order of the stages and as written there."""
    for group, instance in groups():
        for each in fields(instance):  # type: ignore[arg-type]
            unit, low, high, source = each.metadata[_KEY]
            yield Number(
                group,
                each.name,
                getattr(instance, each.name),
                unit,
                low=low,
                high=high,
                source=source,
            )
