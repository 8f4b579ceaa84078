# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch over files and folders: arguments, what is done already, who works, what is told.

Exit codes: 0 all done, 1 some inputs failed or something broke, 2 wrong usage or nothing but bad
input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import report
from .extension import NOT_THE_INPUT, READABLE, AddonError, asked, one_line
from .local import Result, Stop, cores, default_jobs, run_local
from .options import SHAPING, make_parser, settings_of, this_blender
from .plan import Job, find_inputs, plan_jobs
from .pool import BACKEND_PYTHON, BatchError, Blender, blender_command, worker_environment
from .progress import Show, shown
from .store import Store, code_digest, digest_of, model_digest, settings_digest

BROKEN = {
    *NOT_THE_INPUT,
    "blender_died",
    "timed_out",
    "worker_lost",
    "other_version",
    "scheduler_lost",
    "report_unwritable",
}


def main(arguments: Sequence[str], prog: str = "generate.py") -> int:
    """Run the batch; the exit code, see above."""
    rows: dict[str, dict[str, Any]] = {}
    events: list[dict[str, Any]] = []
    stop = Stop()
    broken: BatchError | None = None
    began = time.time()
    try:
        options = make_parser(prog).parse_intermixed_args(list(arguments))
        run = _Run(options, events)
        with _interruptible(stop), shown(len(run.jobs)) as show:
            try:
                for result in run.results(stop, show):
                    rows[result.job.name] = {"input": str(result.job.source), **result.row}
                    tell(show, result)
                    show.done(len(rows))
            except BatchError as error:
                if not rows:
                    raise
                broken = error  # what is done until then is told all the same
                events.append({"time": time.strftime("%H:%M:%S"), "what": error.message})
        interrupted = (stop.soft.is_set() or broken is not None) and len(rows) < len(run.jobs)
        ordered = [rows[job.name] for job in run.jobs if job.name in rows]
        if options.report is not None:
            told = report.summary(
                ordered,
                len(run.jobs),
                interrupted,
                time.time() - began,
                events,
                described=run.described,
            )
            broken = _written(options.report.absolute(), told, run.store) or broken
        with contextlib.suppress(OSError):  # another run tidies, too
            run.store.tidy()
        if broken is not None:
            raise broken
    except SystemExit as leaving:  # argparse: --help
        return int(leaving.code or 0)
    except (AddonError, BatchError) as error:
        print(
            one_line(f"error: {error.message} {error.fix} [{error.code}]"),
            file=sys.stderr,
            flush=True,
        )
        return 1 if error.code in BROKEN else 2
    if interrupted:
        print(
            f"Interrupted: {len(run.jobs) - len(rows)} of {len(run.jobs)} files are left; start it"
            " again to go on.",
            file=sys.stderr,
            flush=True,
        )
        return 130
    return exit_code(ordered)


def names_inputs(arguments: Sequence[str]) -> bool:
    """Whether arguments name inputs, or cannot be read, which `main` then says."""
    try:
        return bool(make_parser("").parse_intermixed_args(list(arguments)).inputs)
    except (AddonError, SystemExit):
        return True


class _Run:
    """One start of the command: what it is to make, and of what."""

    def __init__(self, options: argparse.Namespace, events: list[dict[str, Any]]) -> None:
        """Raises AddonError: `usage`, `output_unwritable` and as arguments.asked does."""
        self.options, self.events, self.name = options, events, secrets.token_hex(8)
        if not options.inputs:
            raise AddonError("usage", "No input is given.", "Name files, folders or patterns.")
        self.asked = asked(options)
        self.settings = settings_of(options)
        if options.memory < 100 or options.jobs < 0 or options.retries < 0:
            raise AddonError(
                "usage", "--memory, --jobs and --retries cannot be that small.", "See --help."
            )
        self.out = options.out.absolute()
        self.inputs = find_inputs(options.inputs, self.out)
        self.jobs = plan_jobs(self.inputs, self.out, options.export)
        self.store = Store(self.out)
        _prepare(self.out)
        if options.report is not None:
            _prepare(options.report.absolute().parent)
            page = options.report.with_suffix(".html")
            if (
                any(
                    _same(path, entry.path)
                    for entry in self.inputs
                    for path in (options.report, page)
                )
                or options.report.suffix == ".html"
            ):
                raise AddonError(
                    "output_is_input",
                    f"The report {options.report} would replace an input or its page.",
                    "Choose another name.",
                )
        shaping = {name: value for name, value in self.settings.items() if name in SHAPING}
        model, code = model_digest(self.asked["model"]), code_digest()
        self.settings_digest = settings_digest(
            {
                **self.asked,
                "object": options.object,
                "export": options.export,
                "settings": shaping,
                "model": model,
                "code": code,
            }
        )
        self.count = options.jobs or default_jobs(options.memory)
        self.described: dict[str, Any] = {
            "settings": self.asked,
            "model_digest": model,
            "code_digest": code,
            "out": str(self.out),
        }

    def results(self, stop: Stop, show: Show) -> Iterator[Result]:
        """Every job's row as it comes."""
        if self.options.scheduler:
            from scripts.farm.client import run_farm
            from scripts.farm.settings import farm_of

            yield from run_farm(
                self.jobs,
                self.request,
                self.store,
                farm_of(self.options, self.settings, self.described),
                stop,
                events=self.events,
                show=show,
            )
            return
        command = blender_command(self.options.blender or this_blender())
        self.count = max(1, min(self.count, len(self.jobs)))
        environment = worker_environment(self.settings, max(1, cores() // self.count))
        if self.options.backend_python:
            environment[BACKEND_PYTHON] = str(Path(self.options.backend_python).absolute())
        self.described["jobs"] = self.count
        yield from run_local(
            self.jobs,
            self.request,
            lambda: Blender(command, environment, self.options.memory),
            self.count,
            self.options.timeout,
            stop=stop,
        )

    def request(self, job: Job) -> dict[str, Any]:
        """What worker.py gets for a job, or its row if there is nothing to do. Raises OSError if
        the input cannot be read.
        """
        error = self._wrong(job)
        if error is not None:
            return {"status": "failed", "error": error.as_dict()}
        source = digest_of(job.source)
        verdict = self.store.judge(
            job.name, source, self.settings_digest, job.targets, self.options.overwrite
        )
        sheet = self.store.beside(job.name, ".jpg")
        drawn = (
            sheet.exists() or not self.options.sheets or self.options.send
        )  # what was sent is not sent again for its picture
        if verdict.state in ("done", "edited") and verdict.row is not None and drawn:
            return {**verdict.row, "status": "skipped"}
        if verdict.state == "refused":
            error = AddonError(
                "output_exists",
                verdict.reason,
                "Choose another folder for --out, or give --overwrite.",
            )
            return {"status": "failed", "error": error.as_dict()}
        return {
            "asked": self.asked,
            "object": self.options.object,
            "store": str(self.out),
            "name": job.name,
            "source": str(job.source),
            "target": str(job.target),
            "exported": str(job.exported) if job.exported else None,
            "notes": list(job.notes),
            "source_digest": source,
            "settings_digest": self.settings_digest,
            "overwrite": self.options.overwrite,
            "run": self.name,
            "sheet": str(sheet) if self.options.sheets else None,
        }

    def _wrong(self, job: Job) -> Any:
        """The AddonError that a job ends with before anything is tried, or None."""
        if job.source.is_dir():
            return AddonError(
                "input_missing",
                f"{job.source} holds no avatar files.",
                f"Types are {', '.join(READABLE)}.",
            )
        if not job.source.is_file():
            return AddonError("input_missing", f"There is no file {job.source}.", "Check the path.")
        if job.source.suffix.lower() not in READABLE:
            return AddonError(
                "format_unknown",
                f"{job.source} is not of a type that can be read.",
                f"Types are {', '.join(READABLE)}.",
            )
        for target in job.targets:
            if any(_same(target, entry.path) for entry in self.inputs):
                return AddonError(
                    "output_is_input", f"{target} is an input.", "Choose another folder for --out."
                )
        return None


def tell(show: Show, result: Result) -> None:
    """A line for a file, and one for each warning."""
    name, row = result.job.source.name, result.row
    if "error" in row:
        error = row["error"]
        show.line(
            f"{name}: error: {error['message']} {error['fix']} [{error['code']}]", trouble=True
        )
        return
    skipped = "done before: " if row["status"] == "skipped" else ""
    show.line(f"{name}: {skipped}{row['line']}; {result.job.target}")
    for warning in row["warnings"]:
        show.line(f"{name}: warning: {warning}", trouble=True)


def exit_code(rows: Sequence[dict[str, Any]]) -> int:
    """0, 1 or 2, see above."""
    codes = [row["error"]["code"] for row in rows if "error" in row]
    if not codes:
        return 0
    return 2 if len(codes) == len(rows) and not BROKEN.intersection(codes) else 1


@contextlib.contextmanager
def _interruptible(stop: Stop) -> Iterator[None]:
    """The first Ctrl-C lets the files that are begun be finished, the second, or SIGTERM, ends
    them.
    """

    def interrupt(number: int, _frame: object) -> None:
        if stop.soft.is_set() or number != signal.SIGINT:
            stop.hard.set()
        else:
            print(
                "\nNo more files are begun. Press Ctrl-C again to end those that are.",
                file=sys.stderr,
                flush=True,
            )
        stop.soft.set()

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(
                number, signal.SIG_DFL if handler is None else handler
            )  # None: Blender's own, which Python cannot set again


def _written(path: Path, told: Mapping[str, Any], store: Store) -> BatchError | None:
    """Write the report; why that cannot be done, or None."""
    try:
        report.write(path, told, store)
    except OSError as error:
        fix = "Give another place with --report and start it again; what is done is skipped."
        return BatchError(
            "report_unwritable", f"The report {path} cannot be written: {error.strerror}.", fix
        )
    return None


def _prepare(folder: Path) -> None:
    """Make a folder and see that it can be written. Raises AddonError `output_unwritable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".blendshapes-"):
            pass
    except OSError as error:
        raise AddonError(
            "output_unwritable",
            f"{folder} cannot be written: {error.strerror}.",
            "Choose a folder that you may write to.",
        ) from error


def _same(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and first.samefile(second)
