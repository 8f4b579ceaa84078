# SPDX-License-Identifier: GPL-3.0-or-later
"""What the VRChat check says: sentences with places for what was found, so that they can be
translated. Imports no bpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

# What is said, by what it is about; fields are filled in, so that it can be translated. What begins
# with a comma, a semicolon or a full stop goes on.
WORDS: dict[str, str] = {
    "hidden": "{name} is hidden, so it is not exported",
    "hidden_parts": "Hidden, so neither looked at nor exported: {names}",
    "same_mesh": "{names} are one mesh: it is exported {count} times, each time with all keys",
    "armatures": (
        "What is exported hangs on {count} armatures ({names}), and VRChat takes one: hide what is"
        " another avatar"
    ),
    "mesh_name_right": "The mesh is called {body}",
    "mesh_name_other": (
        "{body} is another mesh of this avatar, with {count} keys: select that one and check it"
    ),
    "mesh_name": (
        "The mesh is called {name}; face tracking templates and MMD worlds look for {body}, spelled"
        " just so"
    ),
    "mesh_name_taken": ". The object that has this name now becomes {name}",
    "second_face": (
        "A second face with keys of its own is exported, too: {names}. If it is an old copy,"
        " hide it"
    ),
    "parts": (
        "VRChat's templates animate {body} alone; nothing moves the keys of {names}. Join them into"
        " it, or animate them yourself"
    ),
    "absolute": "The shape keys are absolute: Unity knows relative ones only",
    "pinned": (
        "Only {name} is shown (the pin in the list of shape keys), so nothing of the others is seen"
    ),
    "muted": "Most exporters leave out keys that are muted: {names}",
    "masked": "Files know no vertex groups of keys; to be baked in: {names}",
    "relative": "Relative to another key than the basis; to be baked: {names}",
    "range": "The slider does not go from 0 to 1, as Unity's does: {names}",
    "locked": "Locked, so no update changes them: {names}",
    "driven": "Drivers and animation set them in Blender, and no file has drivers: {names}",
    "name_case": "Names must be spelled just so: {names}",
    "names": "{count} of {all} names of {set} are there exactly",
    "names_otherwise": "; {count} are spelled otherwise",
    "names_missing": "; {count} are missing: {names}",
    "names_still": "; {count} move nothing: {names}",
    "names_still_here": "; {count} move nothing on this mesh: {names}",
    "names_few": "For face tracking {count} of {all} names of {set} are there",
    "unknown": "{count} keys have names of no standard, so nothing is said about them: {names}",
    "duplicates": "Copies that nothing uses: {names}",
    "twice": "{count} keys are others in another spelling, which templates do not ask for: {names}",
    "numbered": "Nothing looks for names with a number: {names}; rename or remove them",
    "visemes": "All {count} visemes present and distinct",
    "visemes_none": "There are no visemes (vrc.v_aa and {count} others): lips will not move",
    "visemes_missing": (
        "{count} of {all} visemes are missing ({names}), and lip sync needs all of them"
    ),
    "visemes_empty": "Unity drops shapes that move nothing: {names}",
    "visemes_alike": "Visemes that are the same: {names}; generate them, or shape one of them",
    "viseme_alias": "Face tracking templates that animate visemes say {name} for {usual}",
    "bones": "Head and eye bones are there",
    "bones_none": (
        "There is no armature: VRChat wants a humanoid with at least hips, spine, chest, neck and"
        " head"
    ),
    "bones_missing": "No bone was recognised for {names}; without eye bones eyes do not follow",
    "head": "head",
    "left_eye": "left eye",
    "right_eye": "right eye",
    "jaw_bone": (
        "There is no jaw bone. With visemes none is needed, but check that Unity has not"
        " auto-assigned a hair bone as Jaw"
    ),
    "triangles": "{count} triangles: {ranks}",
    "size": (
        "{count} shapes move {share} % of all vertices: {raw} MB in Unity, about {download} MB of"
        " download"
    ),
    "size_large": ", a good part of what {names} allow",
    "dust": "{count} movements are too small to be seen and cost {cost} MB",
    "blink_conflict": (
        "{first} with {second} closes the lid to {share} %: it goes through the other one"
    ),
    "blink_fine": "Eyelids close correctly with squint and smile",
    "values": "Not at 0, so Unity shows the face with them: {names}",
    "values_parts": "Not at 0 on other objects: {names}",
    "part": "{name} ({count}: {names})",
    "name_right": "{name} should be {right}",
    "pair": "{names}",
    "rank": "{rank} on {platform}",
    "pc": "PC",
    "mobile": "Android and iOS",
    "of": "{name} of {object}",
    "modifiers": "With shape keys these modifiers are not exported: {names}",
}
PLATFORMS = {"PC": "pc", "Android and iOS": "mobile"}
LISTS = ("{first} and {last}", "{shown} and {count} more")  # how names follow each other


@dataclass(frozen=True)
class Names:
    """Names in a sentence: the first few of a list, or with `all_` every one, the last after an
    "and".
    """

    names: Sequence[str | Sentence]
    most: int = 4
    all_: bool = False

    def said(self, translate: Callable[[str], str] = str) -> str:
        """In the language that `translate` translates to."""
        shown = [name if isinstance(name, str) else name.said(translate) for name in self.names]
        if self.all_ and len(shown) > 1:
            return translate("{first} and {last}").format(
                first=", ".join(shown[:-1]), last=shown[-1]
            )
        more = 0 if self.all_ else len(shown) - self.most
        listed = ", ".join(shown[: len(shown) - max(more, 0)])
        return (
            translate("{shown} and {count} more").format(shown=listed, count=more)
            if more > 0
            else listed
        )


@dataclass(frozen=True)
class Sentence:
    """One of WORDS with what is filled in: numbers as they are shown, or names."""

    words: str
    values: Mapping[str, str | Names | Sentence] = field(default_factory=dict)

    def said(self, translate: Callable[[str], str] = str) -> str:
        """In the language that `translate` translates to."""
        values = {
            name: value if isinstance(value, str) else value.said(translate)
            for name, value in self.values.items()
        }
        return translate(WORDS[self.words]).format(**values)


@dataclass(frozen=True)
class Finding:
    """level: `ok`, `note`, `warning` or `error`. sentences: of WORDS, one after the other. fix:
    what `vrchat_operators` can do about it, "" for nothing; on: the keys concerned.
    """

    code: str
    level: str
    sentences: tuple[Sentence, ...]
    fix: str = ""
    on: tuple[str, ...] = ()

    def said(self, translate: Callable[[str], str] = str) -> str:
        """What is so, in the language that `translate` translates to."""
        return "".join(sentence.said(translate) for sentence in self.sentences)

    @property
    def text(self) -> str:
        """In English."""
        return self.said()


def say(words: str, **values: str | int | Names | Sentence) -> Sentence:
    return Sentence(
        words,
        {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()},
    )
