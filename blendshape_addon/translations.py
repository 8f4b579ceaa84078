# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the translations to Blender, and asks it for one; errors are finished sentences, whose
templates are looked up first.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import bpy

from .shared import BackendError
from .translations_errors_ja import ERRORS_JAPANESE
from .translations_ja import JAPANESE
from .translations_warnings_ja import WARNINGS_JAPANESE

_CONTEXTS = ("*", "Operator")
# Whole sentences: what fails, and what a run warns of
SENTENCES = {**ERRORS_JAPANESE, **WARNINGS_JAPANESE}
# What is filled in under these names is a sentence or a word of ours; all else is a name, a path or
# a number and stays as it is.
SPOKEN = frozenset({"mark", "mode", "other", "reason", "rest"})


def tr(text: str) -> str:
    """The text in the language of Blender's interface."""
    translations: Any = (
        bpy.app.translations
    )  # the stubs know neither what this returns nor keys with a context
    return str(translations.pgettext_iface(text))


def said(sentence: str, translate: Callable[[str], str] = tr) -> str:
    """A finished English sentence in the language of the interface, with the values that are in
    it; as it is where no translation is known.
    """
    whole = translate(sentence)
    if whole != sentence:
        return whole
    found = _template_of(sentence)
    if found is None:
        return sentence
    template, values = found
    pattern = translate(template)
    if pattern == template:
        return sentence
    return pattern.format_map(
        {
            name: _word(value, translate) if name in SPOKEN else value
            for name, value in values.items()
        }
    )


def error_text(problem: Exception, translate: Callable[[str], str] = tr) -> str:
    """`str(problem)` in the language of the interface: what is wrong, and what to do."""
    if not isinstance(problem, BackendError):
        return said(str(problem), translate)
    return f"{said(problem.message, translate)} {said(problem.fix, translate)}".strip()


def _word(value: str, translate: Callable[[str], str]) -> str:
    """The same of a part of a sentence, which may begin in lower case."""
    word = said(value, translate)
    if word != value:
        return word
    capital = value[:1].upper() + value[1:]
    word = said(capital, translate)
    return value if word == capital else word


@lru_cache(maxsize=256)
def _template_of(sentence: str) -> tuple[str, dict[str, str]] | None:
    """The template that the sentence was made from, and what is filled in."""
    for template, pattern in _patterns():
        match = pattern.fullmatch(sentence)
        if match:
            return template, match.groupdict()
    return None


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Templates of sentences as patterns, those that say most first."""
    known = []
    for template in SENTENCES:
        parts = list(string.Formatter().parse(template))
        if "{" in template:
            pattern = "".join(
                re.escape(literal) + (f"(?P<{name}>.+?)" if name else "")
                for literal, name, _spec, _conversion in parts
            )
            says = sum(len(literal) for literal, *_ in parts)
            known.append((says, template, re.compile(pattern, re.DOTALL)))
    known.sort(key=lambda each: -each[0])
    return [(template, pattern) for _says, template, pattern in known]


def dictionary() -> dict[str, dict[tuple[str, str], str]]:
    """What bpy.app.translations.register takes: locale -> (context, text) -> translation."""
    japanese = {
        (context, text): translated
        for text, translated in {**JAPANESE, **SENTENCES}.items()
        for context in _CONTEXTS
    }
    return {"ja_JP": japanese}


def register(package: str) -> None:
    """Hand the translations over."""
    translations: Any = bpy.app.translations
    translations.register(package, dictionary())


def unregister(package: str) -> None:
    """Take them back."""
    bpy.app.translations.unregister(package)
