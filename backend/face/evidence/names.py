# SPDX-License-Identifier: GPL-3.0-or-later
"""What a name speaks of: a bone's, a material's, a vertex group's or an object's, in English,
Japanese, Chinese and Korean.

Names lie and names mislead: `headphone` is no head, `eyebrow` no eye, `chair` no hair. So a name is
cut into words, the longest known word counts, a Latin word counts only as a whole, and a name that
speaks of two things that do not move alike speaks of nothing. Standard library only: the add-on
uses it, too.

words.json has the words by class and script. `latin`: a plural's s may follow. `kana`, `han`: they
count wherever they stand. `hangul`: a run of it counts where it is made of them alone. Those of the
empty class mean nothing by themselves: a compound may be made with them (fronthair), and some are
there because they only look like others. Where habits were taken from: VRoid and VRM, MMD, Rigify,
Mixamo, Unreal, Character Creator, Daz, MakeHuman, Ready Player Me, VRChat, Unity's sample avatars.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from ..params.evidence import NAME_LIMITS as NAME_LIMITS

# What a name can speak of; the numbers are the places in here. `head` is the head as a whole,
# `skin` what the face's skin is called or lies on it, `beard` hair that grows on it and goes with
# it, `accessory` what is worn, `body` everything below, with clothes
CLASSES = (
    "",
    "head",
    "skin",
    "hair",
    "beard",
    "eye",
    "lash",
    "brow",
    "teeth",
    "tongue",
    "mouth",
    "jaw",
    "ear",
    "accessory",
    "body",
)
FACIAL = frozenset(
    {"beard", "eye", "lash", "brow", "teeth", "tongue", "mouth"}
)  # parts of a face that are no hair, whatever else is said

_RUN = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+")
_LETTERS = re.compile(r"[A-Za-z]+")
_KANA = re.compile(r"[\u3041-\u309f]+|[\u30a1-\u30ff]+")
_HANGUL = re.compile(r"[\uac00-\ud7a3]+")


def _table(*scripts: str) -> dict[str, str]:
    """Word -> class, of some scripts."""
    listed = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return {
        word: kind
        for kind, words in listed.items()
        for script in scripts
        for word in words.get(script, "").split()
    }


_LATIN, _EAST, _KOREAN = _table("latin"), _table("kana", "han"), _table("hangul")
_LONG_LATIN, _LONG_KOREAN = max(map(len, _LATIN)) + 1, max(map(len, _KOREAN))
_ANYWHERE = re.compile("|".join(map(re.escape, sorted(_EAST, key=len, reverse=True))))
# What a name that speaks of several things is about: the first of these
_ORDER = (
    "beard",
    "lash",
    "brow",
    "tongue",
    "teeth",
    "eye",
    "mouth",
    "jaw",
    "ear",
    "body",
    "skin",
    "head",
)


@functools.lru_cache(maxsize=NAME_LIMITS.remembered)
def kind_of(name: str, group: bool = False) -> str:
    """The class of CLASSES that a name speaks of, the empty one if none or two that do not go
    together. group: it is a vertex group's, which is called a mask for what it does.
    """
    found = set(_kinds(unicodedata.normalize("NFKC", name[: NAME_LIMITS.longest]), group)) - {""}
    if "accessory" in found:
        return (
            "" if found & (FACIAL - {"beard"}) else "accessory"
        )  # a material for a face and its glasses
    if "hair" in found:
        return (
            ""
            if found & (FACIAL - {"beard"} | {"skin"})
            else "beard"
            if "beard" in found
            else "hair"
        )  # of hair on shoulders, too
    return next((kind for kind in _ORDER if kind in found), "")


def number_of(name: str, group: bool = False) -> int:
    """The same as a place in CLASSES."""
    return CLASSES.index(kind_of(name, group))


def _kinds(name: str, group: bool) -> Iterator[str]:
    """The classes of all words of a name."""
    words = [word for run in _LETTERS.findall(name) for word in _words(run)]
    at = 0
    while at < len(words):
        for count in range(min(NAME_LIMITS.pieces, len(words) - at), 0, -1):
            kind = _of("".join(words[at : at + count]))
            if kind is not None or count == 1:
                if not (group and words[at : at + count] == ["mask"]):
                    yield kind or ""
                at += count
                break
    for found in _ANYWHERE.finditer(name):
        if not _inside_kana(name, found):
            yield _EAST[found.group()]
    for run in _HANGUL.findall(name):
        pieces = _cut(run, _KOREAN, _LONG_KOREAN)
        yield from (_KOREAN[piece] for piece in pieces or ())


def _words(run: str) -> list[str]:
    """The words of a run of Latin letters: all of it in known words (FRONTHAIR, eyewhite), else cut
    where its letters' case changes.
    """
    whole = _split(run.lower())
    if whole:
        return whole
    return [piece for part in _RUN.findall(run) for piece in _split(part.lower()) or [part.lower()]]


def _split(run: str) -> list[str] | None:
    if _of(run) is not None:
        return [run]
    return _cut(run, _LATIN, _LONG_LATIN)


def _of(word: str) -> str | None:
    """The class of a Latin word or its plural, None if it is not known."""
    if word in _LATIN:
        return _LATIN[word]
    for end in ("s", "es"):
        if word.endswith(end) and len(word) > len(end) + 2 and _LATIN.get(word[: -len(end)]):
            return _LATIN[word[: -len(end)]]
    return None


def _cut(run: str, known: dict[str, str], longest: int) -> list[str] | None:
    """A run in as few known words as possible, None where that cannot be done or says nothing."""
    best: list[list[str] | None] = [[], *[None] * len(run)]
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - longest), end):
            before, word = best[start], run[start:end]
            if before is None or (
                word not in known and not (known is _LATIN and _of(word) is not None)
            ):
                continue
            now = best[end]
            if now is None or len(before) + 1 < len(now):
                best[end] = [*before, word]
    found = best[-1]
    return found if found and len(found) <= NAME_LIMITS.pieces else None


def _inside_kana(name: str, found: re.Match[str]) -> bool:
    """Whether a word of one or two kana is only a part of a longer run of them, as any two may
    be.
    """
    word = found.group()
    if len(word) > 2 or not _KANA.fullmatch(word):
        return False
    return any(
        run.start() <= found.start() and found.end() <= run.end() and len(run.group()) > len(word)
        for run in _KANA.finditer(name)
    )
