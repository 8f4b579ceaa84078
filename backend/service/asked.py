# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request asks for, and what it refuses before any work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import BackendError
from ..face.correct.sizes import STYLE
from ..face.keys import Pair, Plain
from ..face.shapes import goals
from ..face.shapes.derived import derivable
from ..face.shapes.regions import factors
from ..face.shapes.shape_sets import Table, weights_of
from ..inference.models import Model

Floats = NDArray[np.float32]

MAX_STRENGTH = 10.0


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Args:
        tables: key -> weights of conditions, by the name of the set, or `table`
        strength: factor on all offsets, above 0 to 10
        regions: {region: factor}, see face/shapes/regions.py
        style: 0 subtle to 1 bold, see face/correct/sizes.py
        turn_eyes: eyeLook shapes turn eyeballs also where bones do
    """

    tables: Mapping[str, Table]
    strength: float = 1.0
    regions: object = None
    style: float = STYLE
    turn_eyes: bool = False

    @property
    def count(self) -> int:
        """How many keys there are."""
        return sum(map(len, self.tables.values()))

    @property
    def alone(self) -> set[str]:
        """The conditions that have a key of their own."""
        return {
            name
            for table in self.tables.values()
            for row in table.values()
            if len(row) == 1
            for name in row
        }

    def factors(self, conditions: Sequence[str]) -> Floats:
        """Factors float32 (K,) of conditions, by their region."""
        return factors(self.regions, conditions)

    def keys(self, model: Model) -> Pair | Plain:
        """The keys asked for, of a model of either kind. Raises BackendError for bad requests."""
        self._check()
        weights, extra = self._weights(model)
        if model.plain is not None:
            return Plain(weights)
        return Pair(
            model.info.condition_names,
            weights,
            extra,
            len(list(self.tables.values())[-1]),
            aims=goals.wanted(self.tables, self.factors),
            style=self.style,
        )

    def _check(self) -> None:
        """Refuse what cannot be made. Raises BackendError."""
        if not self.tables:
            raise BackendError(
                "unknown_set", "No shapes were asked for.", "Name at least one set or give a table."
            )
        if not math.isfinite(self.strength) or not 0 < self.strength <= MAX_STRENGTH:
            raise BackendError(
                "setting_invalid",
                f"The strength is {self.strength:g}.",
                f"Choose one above 0 and up to {MAX_STRENGTH:g}.",
            )
        if not 0 <= self.style <= 1:
            raise BackendError(
                "setting_invalid",
                f"The style is {self.style:g}.",
                "Choose one from 0, subtle, to 1, bold.",
            )
        seen: dict[str, str] = {}
        for name, table in self.tables.items():
            for key in table:
                if key in seen:
                    raise BackendError(
                        "table_invalid",
                        f"The key {key!r} is in both {seen[key]} and {name}.",
                        "Rename it in your table.",
                    )
                seen[key] = name

    def _weights(self, model: Model) -> tuple[Floats, dict[str, Floats]]:
        """Weights float32 (N,K) of all tables, one after the other, and those (N,) of the derived
        conditions in use.
        """
        own = model.info.condition_names
        built = derivable(own) if model.plain is None else []
        tables = [weights_of(table, [*own, *built]) for table in self.tables.values()]
        weights = np.concatenate(tables) * self.factors([*own, *built])
        extra = {
            name: column
            for name, column in zip(built, weights[:, len(own) :].T, strict=True)
            if column.any()
        }
        return np.ascontiguousarray(weights[:, : len(own)]), extra
