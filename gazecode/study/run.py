"""A whole study: many recordings through the pipeline, side by side, and all its files."""

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from gazecode.alignment import load_tokenizer
from gazecode.disk import alone_in
from gazecode.errors import StudyError
from gazecode.study.methods import check_methods, settled
from gazecode.study.outputs import RunSummary, write_outputs
from gazecode.study.process import process
from gazecode.study.pseudonyms import load_key, nameless, pseudonymous
from gazecode.study.scrubbing import Scrubber
from gazecode.study.settings import Study, digest_of, load_study, located
from gazecode.study.sharing import check_pooled, write_shared
from gazecode.study.stimuli import check_stimuli
from gazecode.version import __version__
from gazecode.workers import end_with_parent

__all__ = ["Progress", "RunSummary", "run_study"]

Progress = Callable[[int, int, str], None]
"""Called with (recordings done, recordings in all, name of the one just done)."""

PARTS = ".gazecode-parts"


def run_study(
    study_file: Path | str,
    out: Path | str,
    *,
    jobs: int = 1,
    resume: bool = False,
    progress: Progress | None = None,
    key: Path | str | None = None,
    share: bool = False,
) -> RunSummary:
    """Run a study file; every output appears whole under its final name or not at all.

    Parameters
    ----------
    jobs
        Processes. The outputs are the same bytes whatever their number.
    resume
        Take up an interrupted run: recordings already processed with the same settings are kept.
    progress
        Told after each recording.
    key
        File with a secret of at least 16 bytes: people and recordings are called by a keyed hash
        of their names in every output. Never stored.
    share
        Leave only what may be given away: weights pooled over people, and a summary.

    Raises
    ------
    StudyError
        If the study file is wrong, or if no recording at all gave a result (then
        ``failures.csv`` and ``quality.json`` are there and say why; not with `share`).
    ParameterError
        If the key cannot be used.
    """
    study = load_study(study_file)
    out = Path(out)
    secret = None if key is None else load_key(key, out=out)
    # What is wrong for every recording is said at once, before the first one is read.
    try:
        check_methods(study)
        if share:
            check_pooled(study)
        check_stimuli(study)
    except StudyError as error:
        raise located(error, study_file) from error
    load_tokenizer(study.align.tokenizer)
    if out.exists() and not out.is_dir():
        raise StudyError(f"{out} is a file; name a folder for the outputs")
    out.mkdir(parents=True, exist_ok=True)
    study, scrub = _without_names(study, secret, share=share)
    with alone_in(out):
        write = partial(_write, study, out, scrub=scrub, share=share)
        return _run(study, out, jobs=jobs, resume=resume, progress=progress, write=write)


def _without_names(
    study: Study, key: bytes | None, *, share: bool
) -> tuple[Study, Scrubber | None]:
    """The study as its outputs may tell it, and what takes names out of texts."""
    if share:
        # Not even pseudonyms: they would join this to what else is known under them.
        return nameless(study)
    return (study, None) if key is None else pseudonymous(study, key)


def _write(
    study: Study, out: Path, folders: Sequence[Path], *, scrub: Scrubber | None, share: bool
) -> RunSummary:
    if share and scrub is not None:
        return write_shared(study, folders, out, scrub=scrub)
    digest = _inputs_digest(study)
    return write_outputs(study, folders, out, inputs_sha256=digest, scrub=scrub)


def _run(
    study: Study,
    out: Path,
    *,
    jobs: int,
    resume: bool,
    progress: Progress | None,
    write: Callable[[Sequence[Path]], RunSummary],
) -> RunSummary:
    parts = out / PARTS
    if not resume:
        shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(exist_ok=True)
    folders = [parts / key for key in _keys(study)]
    kept = [folder.is_dir() for folder in folders]
    _process_all(study, folders, kept, jobs=jobs, progress=progress)
    try:
        summary = write(folders)
    except StudyError:
        shutil.rmtree(parts, ignore_errors=True)
        raise
    shutil.rmtree(parts, ignore_errors=True)
    return replace(summary, n_resumed=sum(kept))


def _process_all(
    study: Study,
    folders: list[Path],
    kept: list[bool],
    *,
    jobs: int,
    progress: Progress | None,
) -> None:
    """Make every part that is not there yet."""
    todo = [i for i, there in enumerate(kept) if not there]
    done = len(folders) - len(todo)

    def tell(index: int) -> None:
        if progress is not None:
            progress(done, len(folders), study.recordings[index].name)

    if jobs <= 1 or len(todo) <= 1:
        for i in todo:
            process(study, i, folders[i])
            done += 1
            tell(i)
        return
    # Spawned, not forked: a fork of a process with threads (Arrow, tokenizers) may hang.
    with ProcessPoolExecutor(
        min(jobs, len(todo)), mp_context=get_context("spawn"), initializer=end_with_parent
    ) as pool:
        futures = {pool.submit(process, study, i, folders[i]): i for i in todo}
        for future in as_completed(futures):
            future.result()
            done += 1
            tell(futures[future])


def _keys(study: Study) -> list[str]:
    """One key per recording: same bytes, same settings, same version — same key."""
    shared = digest_of([settled(study), _stimuli_digest(study), __version__])
    return [
        f"{i:04d}-"
        + digest_of([shared, entry.model_dump(mode="json"), *(_sha256(p) for p in entry.files)])[
            :24
        ]
        for i, entry in enumerate(study.recordings)
    ]


def _stimuli_digest(study: Study) -> str:
    files = sorted(
        path for table in study.stimuli.values() for path in _files_of(table.model_dump())
    )
    return digest_of([study.model_dump(mode="json")["stimuli"], [_sha256(p) for p in files]])


def _files_of(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _files_of(inner)


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inputs_digest(study: Study) -> str:
    """One digest over everything that went in: recordings, sources, boxes, tokenizer."""
    stimuli = [p for table in study.stimuli.values() for p in _files_of(table.model_dump())]
    recordings = [path for entry in study.recordings for path in entry.files]
    return digest_of(sorted(_sha256(p) for p in [*recordings, *stimuli, study.align.tokenizer]))
