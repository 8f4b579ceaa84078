# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user should know before the click: each with a stable code, a sentence, and the objects
that a button could mend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

# By code; fields are filled in, so that they can be translated
WORDS: dict[str, str] = {
    "expressions_shown": "The face is read without the expressions that are not at 0 now: {names}.",
    "landmarks_lost": (
        "The mesh was changed where you had placed landmarks ({names}); they are searched for"
        " again: look at them, and place them anew."
    ),
    "more_vertices": (
        "{object} is read without the modifiers {names}: they change the number of vertices. Apply"
        " them first."
    ),
    "mesh_shared": "{count} objects share the mesh {mesh}; all of them get the keys.",
    "parts_share_mesh": (
        "{names} share one mesh, so shapes that should move one of them will move each halfway:"
        " make them single-user first."
    ),
    "mirrored": (
        "The Mirror modifier of {object} mirrors the keys, so both sides of the face move alike."
        " Apply it first, if left and right should move by themselves."
    ),
    "mirrored_keys": (
        "The Mirror modifier of {object} mirrors the keys, so both sides of the face move alike. It"
        " cannot be applied while the mesh has shape keys: remove the keys first, or model both"
        " sides."
    ),
    "part_mirrored": (
        "The Mirror modifier of {object} shows both sides alike, so shapes of one side will move"
        " both halfway. Apply it first, if left and right should move by themselves."
    ),
    "part_mirrored_keys": (
        "The Mirror modifier of {object} shows both sides alike, so shapes of one side will move"
        " both halfway. It cannot be applied while the mesh has shape keys: remove the keys first,"
        " or model both sides."
    ),
    "not_applicable": (
        "The modifier {modifier} cannot be applied any more once the mesh has shape keys."
    ),
    "absolute_keys": "The shape keys of {object} are absolute; only relative ones can be added to.",
    "part_not_editable": (
        "No keys can be added to {names}, because the mesh comes from another file: make it local,"
        " or that part stays where it is."
    ),
    "part_follows": "By a modifier {names} follows another mesh, so it gets no keys of its own.",
}
NOTES = frozenset(
    {"mesh_shared", "not_applicable", "part_follows"}
)  # nothing is wrong: it is only good to know
BEFORE = frozenset(
    {"parts_share_mesh", "part_mirrored", "part_mirrored_keys", "part_follows"}
)  # after generating, what moves halfway is counted


@dataclass(frozen=True)
class Finding:
    """code: one of WORDS, or the child's with its own `told`. values: by field of the words.
    objects: names of those that it is about. shapes: names of shapes that it concerns, empty for
    all or none in particular.
    """

    code: str
    values: Mapping[str, str] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    shapes: tuple[str, ...] = ()
    told: str = ""

    def said(self, translate: Callable[[str], str] = str) -> str:
        """The words, in the language that `translate` translates to."""
        return (
            translate(self.told) if self.told else translate(WORDS[self.code]).format(**self.values)
        )

    @property
    def words(self) -> str:
        """In English."""
        return self.said()


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Each once, in order; those of one code and the same words name all their objects."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        at = finding.code, finding.words
        before = found.get(at)
        found[at] = (
            finding
            if before is None
            else replace(before, objects=tuple(dict.fromkeys([*before.objects, *finding.objects])))
        )
    return list(found.values())


def listed(names: Iterable[str]) -> str:
    """Up to five names in quotes, and how many more there are."""
    known = list(names)
    return ", ".join(repr(name) for name in known[:5]) + (
        f" and {len(known) - 5} more" if len(known) > 5 else ""
    )
