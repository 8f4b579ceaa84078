# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's own shapes: from text and JSON files to a table {key: {condition: weight}}. The child
checks names and weights.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from ..errors import AddonError
from ..shared import regular_file

Table = dict[str, dict[str, float]]

MAX_BYTES = 1 << 20
_FORM = 'A table is JSON of the form {"Key name": {"jawOpen": 0.6, "mouthSmileLeft": 0.3}}.'


def user_table(conditions: str, name: str, path: str) -> Table | None:
    """The keys of the JSON file at `path` and the one key `name` with `conditions`
    ("jawOpen=0.6,mouthSmileLeft=0.3"), or None without both.

    Raises AddonError: `usage`, `input_missing`, `table_invalid`.
    """
    table = read_table(Path(path)) if path.strip() else {}
    if bool(conditions.strip()) != bool(name.strip()):
        raise AddonError(
            "usage",
            "Conditions and the name of their key belong together.",
            'Give for example "jawOpen=0.6" and a name.',
        )
    if conditions.strip():
        if name.strip() in table:
            raise AddonError(
                "table_invalid",
                f"The key {name.strip()!r} is in the table too.",
                "Choose another name.",
            )
        table[name.strip()] = parse_conditions(conditions)
    return table or None


def parse_conditions(text: str) -> dict[str, float]:
    """{condition: weight} from "jawOpen=0.6,mouthSmileLeft=0.3". Raises AddonError
    `table_invalid`.
    """
    row: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not name or not math.isfinite(weight):
            raise AddonError(
                "table_invalid",
                f"{part.strip()!r} is not NAME=NUMBER.",
                'Write for example "jawOpen=0.6,mouthSmileLeft=0.3".',
            )
        if name in row:
            raise AddonError(
                "table_invalid", f"{name} is given twice.", "Give every condition once."
            )
        row[name] = weight
    return row


def read_table(path: Path) -> Table:
    """The table in a JSON file. Raises AddonError: `input_missing`, `table_invalid`."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a name occurs twice in one object")
        return found

    try:
        data = json.loads(
            regular_file.read(path, MAX_BYTES).decode("utf-8-sig"), object_pairs_hook=once
        )
    except regular_file.TooLargeError as error:
        raise AddonError(
            "table_invalid",
            f"{path} is too large for a table.",
            f"A table may have {MAX_BYTES >> 20} MiB.",
        ) from error
    except regular_file.RefusedError as error:
        raise AddonError("input_missing", f"The table {path} {error.reason}.", error.fix) from error
    except (OSError, UnicodeDecodeError) as error:
        raise AddonError(
            "input_missing",
            f"The table {path} cannot be read.",
            "Check the path; a table is UTF-8 JSON.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise AddonError(
            "table_invalid", f"The table {path} is not proper JSON: {error}.", _FORM
        ) from error
    if (
        not isinstance(data, dict)
        or not data
        or not all(isinstance(row, dict) for row in data.values())
    ):
        raise AddonError("table_invalid", f"The table {path} has not the right form.", _FORM)
    return data
