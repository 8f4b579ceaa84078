# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutants: where cosmic-ray's operators can change a module, which of them are taken, and what each
makes of it.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator


@dataclass(frozen=True)
class Mutant:
    """One change of one place. module: path from the root. line: from 1; text: what stands there,
    and after: below. occurrence: of the operator in the module; nth: on the line.
    """

    module: str
    operator: str
    definition: str
    line: int
    text: str
    after: str
    occurrence: int
    nth: int

    @property
    def kind(self) -> str:
        """The operator's short name."""
        return (
            self.operator.rpartition("/")[2]
            .replace("ReplaceBinaryOperator_", "")
            .replace("ReplaceComparisonOperator_", "")
        )

    @property
    def change(self) -> str:
        """Which change of the line it is, as equivalents are named."""
        return f"{self.kind} {self.nth}"

    def order(self, seed: int) -> tuple[str, str, str]:
        """What shuffles: lines, on each line the operators, of each the places. It depends on two
        lines alone, not on how much code is before.
        """
        place = f"{seed}|{self.module}|{self.definition}|{self.text}|{self.after}"
        return (
            _digest(place),
            _digest(f"{place}|{self.operator}"),
            _digest(f"{place}|{self.operator}|{self.nth}"),
        )


def all_of(module: str, source: str, operators: Sequence[str]) -> Iterator[Mutant]:
    """Every change that the operators can make of a module."""
    tree = get_ast(source)
    lines = source.splitlines()
    nodes = list(ast_nodes(tree))
    for name in operators:
        operator = get_operator(name)()
        occurrence = 0
        on_line: dict[int, int] = {}
        for node in nodes:
            for start, _end in operator.mutation_positions(node):
                nth = on_line[start[0]] = on_line.get(start[0], -1) + 1
                after = lines[start[0]].strip() if start[0] < len(lines) else ""
                definition = ASTQuery(node).get_definition_name() or ""
                yield Mutant(
                    module=module,
                    operator=name,
                    definition=definition,
                    line=start[0],
                    text=lines[start[0] - 1].strip(),
                    after=after,
                    occurrence=occurrence,
                    nth=nth,
                )
                occurrence += 1


def changed(source: str, mutant: Mutant) -> str:
    """The module's text with the change."""
    result: str | None = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    if result is None:
        raise ValueError(
            f"{mutant.operator} finds no place {mutant.occurrence} in {mutant.module}."
        )
    return result


def is_real(source: str, mutated: str) -> bool:
    """Whether a change can be run and changes what runs: annotations are never looked at."""
    try:
        return _running(mutated) != _running(source)
    except (SyntaxError, ValueError):
        return False


def sample(
    root: Path,
    reached: Mapping[str, Collection[int]],
    operators: Sequence[str],
    seed: int,
    count: int,
) -> list[Mutant]:
    """So many mutants, at most one on a line, of those on lines (module -> numbers) that tests
    reach; the same, in the same order by chance, for the same code and seed.
    """
    sources = {module: (root / module).read_text(encoding="utf-8") for module in reached}
    found = [
        mutant
        for module, source in sources.items()
        for mutant in all_of(module, source, operators)
        if mutant.line in reached[module]
    ]
    chosen: dict[tuple[str, int], Mutant] = {}
    for mutant in sorted(found, key=lambda m: (m.order(seed), m.line)):
        if len(chosen) == count:
            break
        place = (mutant.module, mutant.line)
        if place not in chosen and is_real(
            sources[mutant.module], changed(sources[mutant.module], mutant)
        ):
            chosen[place] = mutant
    return list(chosen.values())


def difference(source: str, mutated: str, module: str) -> str:
    """The change as a diff without its heading."""
    lines = list(
        difflib.unified_diff(
            source.splitlines(), mutated.splitlines(), module, module, lineterm="", n=0
        )
    )
    return "\n".join(lines[3:])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class _Bare(ast.NodeTransformer):
    """Takes annotations off, which `from __future__ import annotations` keeps as text."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:  # the name that ast calls
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _running(source: str) -> str:
    tree: Any = _Bare().visit(ast.parse(source))
    compile(source, "mutant", "exec")
    return ast.dump(tree)
