# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the interface says is translated, and no translation loses what is filled in. The
bpy module itself has no languages.
"""

from __future__ import annotations

import ast
import itertools
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from blendshape_auto_generator.blendshape_addon import errors, registration, translations
from blendshape_auto_generator.blendshape_addon.blender_io import (
    findings,
    vrchat_avatar,
    vrchat_check,
    vrchat_words,
)
from blendshape_auto_generator.blendshape_addon.blender_io.key_writer import Written
from blendshape_auto_generator.blendshape_addon.job.chosen import Named
from blendshape_auto_generator.blendshape_addon.translations_errors_ja import ERRORS_JAPANESE
from blendshape_auto_generator.blendshape_addon.translations_ja import JAPANESE
from blendshape_auto_generator.blendshape_addon.translations_warnings_ja import WARNINGS_JAPANESE
from blendshape_auto_generator.blendshape_addon.ui import panels, tab, vrchat_panel

from backend.face.analyse import rest

SOURCE = Path(__file__).resolve().parents[2] / "blendshape_addon"
BACKEND = SOURCE.parent / "backend"
KNOWN = {**JAPANESE, **ERRORS_JAPANESE, **WARNINGS_JAPANESE}
COMMAND_LINE = {"job/arguments.py", "job/choosing.py", "job/commands.py"}  # which speaks English
# Of the backend: what the add-on itself never gets wrong, and what only the command line says
ASKED_WRONGLY = {"face/evidence/evidence.py", "face/shapes/goals.py", "inference/export.py"}
SPEAKING = (
    *(path for path in SOURCE.rglob("*.py") if str(path.relative_to(SOURCE)) not in COMMAND_LINE),
    *(
        path
        for path in (
            *(BACKEND / "face").rglob("*.py"),
            *(BACKEND / "inference").rglob("*.py"),
            *(BACKEND / "service" / name for name in ("asked.py", "generate.py")),
            BACKEND / "errors.py",
        )
        if str(path.relative_to(BACKEND)) not in ASKED_WRONGLY
    ),
)
# Where a run's warnings are put together, with the names of what holds them
WARNING = (
    SOURCE / "job" / "generation.py",
    SOURCE / "blender_io" / "sharing.py",
    SOURCE / "blender_io" / "key_writer.py",
    BACKEND / "face" / "locate" / "search.py",
    BACKEND / "face" / "locate" / "places.py",
    BACKEND / "service" / "generate.py",
)
FIRST_SENTENCE = {"AddonError": 1, "BackendError": 1, "StoppedError": 1, "_failed": 0}
FILLED = re.compile(r"Qq\d+q")  # stands for a value in a sentence
PROVIDERS = {
    "CPU",
    "TensorRT",
    "CUDA",
    "DirectML",
    "Windows ML",
    "OpenVINO",
    "CoreML",
    "WebGPU",
    "TensorRT RTX",
    "QNN",
}
NAMES = frozenset({"", "Python", "results", *PROVIDERS})


def of_classes() -> Iterator[str]:
    """Labels and tooltips of all registered classes and their properties."""
    for cls in registration.CLASSES:
        if issubclass(cls, (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu)):
            yield cls.bl_label
        if issubclass(cls, bpy.types.Operator):
            yield getattr(cls, "bl_description", "") or cls.__doc__
        own = {
            name
            for base in cls.__mro__
            for name in getattr(base, "__annotations__", {})
            if base.__module__.startswith("blendshape")
        }
        for field in fields_of(cls):
            if field.identifier in own and not field.is_hidden:
                yield from (field.name, field.description)
                if field.type == "ENUM":
                    yield from (
                        text for item in field.enum_items for text in (item.name, item.description)
                    )


def fields_of(cls: type) -> Any:
    """RNA properties of a class; those of an operator are of its type."""
    if issubclass(cls, bpy.types.Operator):
        return (
            getattr(bpy.ops.blendshapes, cls.bl_idname.partition(".")[2]).get_rna_type().properties
        )
    return cls.bl_rna.properties


def of_source() -> Iterator[str]:
    """Texts that are drawn or translated in the code."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = {word.arg: word.value for word in node.keywords}
            if name in ("tr", "poll_message_set"):
                yield from (
                    part.value
                    for part in ast.walk(node.args[0])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
            elif (
                name in ("label", "operator", "prop")
                and "translate" not in named
                and not isinstance(named.get("text"), ast.JoinedStr | type(None))
            ):
                yield from (
                    part.value
                    for part in ast.walk(named["text"])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


class Sentences:
    """Sentences that literals and f-strings of one function make, with marks for values."""

    def __init__(self, named: Mapping[str, Sequence[ast.expr]], numbers: Iterator[int]) -> None:
        self._named, self._numbers = named, numbers

    def of(self, node: ast.expr, depth: int = 0) -> list[str]:
        """All that the expression may be; what is not written there is a mark."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return [node.value]
        if isinstance(node, ast.IfExp):
            return [*self.of(node.body, depth), *self.of(node.orelse, depth)]
        if isinstance(node, ast.BoolOp):
            return [text for value in node.values for text in self.of(value, depth)]
        if isinstance(node, ast.JoinedStr):
            parts = [
                self.of(part.value if isinstance(part, ast.FormattedValue) else part, depth)
                for part in node.values
            ]
            return ["".join(each) for each in itertools.product(*parts)]
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "error.reason":
            return REASONS
        if isinstance(node, ast.Name) and node.id in self._named and depth < 4:
            return [text for value in self._named[node.id] for text in self.of(value, depth + 1)]
        return [f"Qq{next(self._numbers)}q"]


def calls_in(tree: ast.Module) -> Iterator[tuple[ast.Call, dict[str, list[ast.expr]]]]:
    """Calls inside of functions, with what is assigned to names there and in the module."""
    module = {
        target.id: [node.value]
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            named: dict[str, list[ast.expr]] = {}
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    named.setdefault(node.targets[0].id, []).append(node.value)
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    yield node, {**module, **named}


def of_errors() -> Iterator[str]:
    """Messages and fixes of errors, with marks for values."""
    numbers = itertools.count()
    for path in SPEAKING:
        for call, named in calls_in(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name == "broken":  # after the model's name
                yield from (
                    f"Qq{next(numbers)}q {text}."
                    for text in Sentences(named, numbers).of(call.args[1])
                )
            if name in FIRST_SENTENCE:
                for node in call.args[FIRST_SENTENCE[name] : 3]:
                    yield from Sentences(named, numbers).of(node)


def of_warnings() -> Iterator[str]:
    """What a run warns of, with marks for values."""
    numbers = itertools.count()
    for path in WARNING:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call, named in calls_in(tree):
            if ast.unparse(call.func) == "warnings.append":
                yield from Sentences(named, numbers).of(call.args[0])
        for function in ast.walk(tree):
            if getattr(function, "name", "") not in ("warnings", "doubted", "_limited"):
                continue
            named = {
                node.targets[0].id: [node.value]
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            }
            named.pop("names", None)  # which are names of keys
            for node in ast.walk(function):
                value = getattr(node, "value", None)
                if isinstance(node, ast.Return) and isinstance(value, ast.List | ast.JoinedStr):
                    for one in getattr(value, "elts", [value]):
                        yield from Sentences(named, numbers).of(one)
                elif isinstance(node, ast.ListComp):
                    yield from Sentences(named, numbers).of(node.elt)


def of_landmarks() -> Iterator[str]:
    """What is wrong with landmarks."""
    tree = ast.parse((BACKEND / "face" / "locate" / "marks.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant | ast.JoinedStr):
            yield from (
                text for text in Sentences({}, itertools.count()).of(node.value) if text[-1:] == "."
            )


def reasons() -> list[str]:
    """Why a path is refused."""
    tree = ast.parse((BACKEND / "regular_file.py").read_text(encoding="utf-8"))
    return sorted(
        {
            call.args[0].value
            for call, _named in calls_in(tree)
            if getattr(call.func, "id", "") == "RefusedError"
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
        }
    )


REASONS = reasons()
NEVER = re.compile(r"Qq\d+q .*, which is the most for a model\.")  # but for a size


def japanese(text: str) -> str:
    return KNOWN.get(text, text)


def own(texts: Iterator[str]) -> set[str]:
    return {text for text in texts if text not in NAMES}


def of_findings() -> Iterator[str]:
    """What the scene and the face at rest are said to be."""
    yield from findings.WORDS.values()
    for told in vars(rest).values():
        yield from (
            each.words
            for each in (told.values() if isinstance(told, dict) else [told])
            if isinstance(each, rest.Finding)
        )


def test_no_text_has_two_translations() -> None:
    tables = (JAPANESE, ERRORS_JAPANESE, WARNINGS_JAPANESE)
    assert len(KNOWN) == sum(len(table) for table in tables)


def test_all_findings_are_translated() -> None:
    assert set(of_findings()) - JAPANESE.keys() == set() and len(set(of_findings())) > 20


def test_all_sentences_of_the_vrchat_check_are_translated() -> None:
    assert {*vrchat_words.WORDS.values(), *vrchat_words.LISTS} - JAPANESE.keys() == set()


def test_what_the_vrchat_check_says_is_japanese_down_to_its_lists() -> None:
    keys = {
        name: np.zeros((3, 3), np.float32)
        for name in ("vrc.v_aa", "Odd", "Other", "Third", "Fourth", "Fifth")
    }
    sets = {"vrchat": ["vrc.v_aa", "vrc.v_oh"], "arkit": ["jawOpen"], "unified": ["JawOpen"]}
    avatar = vrchat_avatar.Avatar(
        "Face",
        keys,
        sets,
        bones=frozenset({"jaw"}),
        others=(vrchat_avatar.Other("Lash", {"Odd": True}, values=("Odd",)),),
    )
    told = {
        finding.code: finding.said(lambda text: JAPANESE[text])
        for finding in vrchat_check.check(avatar)
    }
    assert (
        told["bones"]
        == "頭, 左目 と 右目 のボーンが見つかりません。目のボーンがないと視線が動きません"
    )
    assert told["unknown"].endswith("Odd, Other, Third, Fourth ほか 1 個")
    assert told["values_parts"] == "ほかのオブジェクトで 0 でないキー: Lash の Odd"
    assert not [
        text
        for text in told.values()
        for word in (" and ", " more", " of ", " on ", " should ")
        if word in text
    ]


def test_all_labels_and_tooltips_are_translated() -> None:
    assert own(of_classes()) - JAPANESE.keys() == set()


def test_all_texts_of_panels_and_messages_are_translated() -> None:
    told = (
        own(of_source())
        | set(tab.STAGES.values())
        | set(panels.ROLES.values())
        | set(vrchat_panel.LABELS.values())
    )
    assert told - KNOWN.keys() == set()


@pytest.mark.parametrize("text", [text for text in KNOWN if "{" in text])
def test_what_is_filled_in_stays(text: str) -> None:
    def fields(pattern: str) -> list[Any]:
        return sorted(
            (name, spec)
            for _text, name, spec, _conversion in string.Formatter().parse(pattern)
            if name
        )

    assert fields(text) == fields(KNOWN[text])


@pytest.mark.parametrize(
    "sentence",
    sorted(
        {
            text
            for text in (*of_errors(), *of_landmarks(), *of_warnings())
            if re.search("[A-Za-z]{2}", FILLED.sub("", text)) and not NEVER.match(text)
        }
    ),
)
def test_what_an_error_says_is_japanese_with_all_its_values(sentence: str) -> None:
    told = translations.said(sentence, japanese)
    assert re.search("[\u3040-\u30ff]", told), "no Japanese"
    assert sorted(FILLED.findall(told)) == sorted(FILLED.findall(sentence))


def test_a_run_speaks_japanese_where_blender_does() -> None:
    def said(text: str) -> str:
        return translations.said(text, japanese)

    assert len(list(of_warnings())) > 8
    assert said(Named("model", "", "/a/b.onnx").told).startswith("このファイルが指定するモデル")
    one, many = (Written(kept=["jawOpen"]), Written(kept=[f"k{number}" for number in range(7)]))
    assert [said(text) for text in one.warnings] == [
        "手直しされたキー 1 個 (jawOpen) はそのまま残しました。"
        "置き換えるには「手直ししたキーを置き換える」をオンにしてください。"
    ]
    assert said(many.warnings[0]).startswith("手直しされたキー 7 個 (k0, k1, k2, k3, k4, ...)")


def test_operators_and_panels_speak_of_errors_in_the_language_of_the_interface() -> None:
    def uses(node: ast.AST, *names: str) -> bool:
        return any(
            isinstance(part, ast.Call) and getattr(part.func, "id", "") in names
            for part in ast.walk(node)
        )

    reported = [
        call
        for path in (SOURCE / "ops").glob("*.py")
        for call, _named in calls_in(ast.parse(path.read_text(encoding="utf-8")))
        if ast.unparse(call).startswith("self.report({'ERROR'}")
    ]
    drawn = [
        call
        for path in (SOURCE / "ui").glob("*.py")
        for call, _named in calls_in(ast.parse(path.read_text(encoding="utf-8")))
        if getattr(call.func, "id", "") == "draw_lines"
        and re.search(r"error\.(message|fix)", ast.unparse(call))
    ]
    assert len(reported) > 15 and len(drawn) == 2
    english = [call for call in reported if not uses(call, "error_text", "said", "tr")]
    english += [call for call in drawn if not uses(call, "said")]
    assert [ast.unparse(call) for call in english] == []


def test_an_error_keeps_its_english_where_blender_speaks_english() -> None:
    error = errors.AddonError("usage", "The key 'Jaw' is locked.", "Unlock it first.")
    assert translations.error_text(error) == str(error)
    assert translations.error_text(error, japanese) == (
        "キー 'Jaw' はロックされています。 先にロックを解除してください。"
    )
    assert translations.error_text(RuntimeError("Own words"), japanese) == "Own words"


def test_parts_of_sentences_are_translated_and_names_are_not() -> None:
    def said(text: str) -> str:
        return translations.said(text, japanese)

    assert said("Eye inner left is below mouth left.") == "左目頭が左口角より下にあります。"
    assert said("Face is hidden while it is in Edit Mode.").startswith("Face は編集モード")
    assert said("The new runtime does not work: it was not ready within 2 hours.") == (
        "新しいランタイムが動きません: 2 時間以内に準備できませんでした。"
    )


def test_tooltips_end_as_blenders_do() -> None:
    assert [
        text for text in own(of_classes()) if text.endswith(".") and not text.endswith("...")
    ] == []


def test_every_property_has_a_tooltip() -> None:
    for cls in registration.CLASSES:
        own = {
            name
            for base in cls.__mro__
            for name in getattr(base, "__annotations__", {})
            if base.__module__.startswith("blendshape")
        }
        for name in own:
            field = fields_of(cls).get(name)
            assert field is not None or name.startswith("_"), f"{cls.__name__}.{name}"
            if field is not None and field.type not in ("COLLECTION", "POINTER"):
                assert field.description or field.is_hidden, f"{cls.__name__}.{name}"


def test_blender_has_them_and_gives_them_back() -> None:
    dictionary = translations.dictionary()["ja_JP"]
    assert (
        dictionary[("*", "Jaw")] == "顎"
        and dictionary[("Operator", "Generate Shape Keys")] == "シェイプキーを生成"
    )
    assert translations.tr("Jaw") == "Jaw", "the language of this Blender is English"
    translations.unregister(registration.session.ROOT_PACKAGE)
    translations.register(registration.session.ROOT_PACKAGE)


def test_fixes_are_sentences() -> None:
    assert (
        str(errors.AddonError("usage", "Nothing to generate.", "Tick a set."))
        == "Nothing to generate. Tick a set."
    )
