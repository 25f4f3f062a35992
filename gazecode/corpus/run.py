"""A whole corpus: sources in, weights out, on one core, several, or a cluster.

The job in one line: `open_corpus` → `cut` into blocks → an engine runs `weigh_block` on each →
shards, in order. This process reads and writes; only finished bytes touch the disk.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gazecode.corpus.blocks import Block, BlockRule, cut
from gazecode.corpus.checking import checked_settings
from gazecode.corpus.cluster import check_scheduler, run_dask
from gazecode.corpus.engines import ENGINES, Results, run_processes, run_serial
from gazecode.corpus.inputs import Paths, open_corpus
from gazecode.corpus.job import CorpusSummary, Job, Progress
from gazecode.corpus.places import outputs_of, place_for, refuse_inputs
from gazecode.corpus.records import ReadOptions
from gazecode.corpus.settings import PROSE, AlignRule
from gazecode.disk import alone_in
from gazecode.errors import ParameterError
from gazecode.model import LabelPriors

__all__ = ["weigh_corpus"]


def weigh_corpus(  # noqa: PLR0913 - one job, all that can be said about it
    inputs: Paths,
    *,
    priors: LabelPriors | str | Path,
    tokenizer: str | Path,
    out: str | Path,
    scheme: str = "eyemulator",
    params: Mapping[str, Any] | None = None,
    path_params: Mapping[str, Any] | None = None,
    align: AlignRule | None = None,
    seed: int = 0,
    jobs: int = 1,
    engine: str = "local",
    scheduler: str | None = None,
    resume: bool = False,
    options: ReadOptions | None = None,
    answer_language: str = PROSE,
    max_error_share: float = 0.25,
    blocks: BlockRule | None = None,
    progress: Progress | None = None,
) -> CorpusSummary:
    """Weigh code nobody looked at, by what is known of where people look.

    Parameters
    ----------
    inputs
        What `open_corpus` reads: JSONL, Parquet, source files, folders, or several.
    priors
        Priors, or a file or folder for `Priors.load`.
    tokenizer
        A ``tokenizer.json`` or a folder that holds one.
    out
        A folder for ``weights-00000.parquet`` and so on, or one file that ends in ``.parquet``.
        ``failures.csv`` and ``corpus.json`` stand beside the weights. An earlier run's files are
        replaced when the new ones are complete.
    scheme, params
        Weighting scheme and its parameters.
    path_params
        Parameters of `pseudo_scan_path`.
    align
        Parameters of `align`.
    seed
        Of the pseudo scan paths; with the source's bytes all that they depend on.
    jobs
        Processes, for the engine ``"local"``. The outputs are the same bytes whatever their
        number. As with every job in several processes, a script that calls this does so under
        ``if __name__ == "__main__":``.
    engine, scheduler
        ``"dask"`` works on the cluster behind a scheduler's address.
    resume
        Take up an interrupted run: blocks finished with the same settings and sources are kept.
    options
        How the corpus is read: columns, language, limits. With ``answer`` every source has a text
        that a model should predict from it, which stands where the template says ``{answer}``.
    answer_language
        What the answers are: ``"prose"``, or the language of their code.
    max_error_share
        A source with a larger share of its bytes in syntax errors is reported, not weighed.
    blocks
        Sources per shard.
    progress
        Told after each block.

    Returns
    -------
    CorpusSummary
        A source that could not be weighed is a line in ``failures.csv``, never an error.

    Raises
    ------
    DataError
        Not one source could be weighed; ``failures.csv`` says why, or, where there are weights of
        an earlier run, which stay as they were, ``failures-of-failed-run.csv``.
    FormatError
        No such corpus.
    ParameterError
        An unknown engine, scheme or parameter, `resume` with other settings, nobody at the address
        of the scheduler, or an `out` that holds inputs or the files of something else.
    TokenizerError
        The tokenizer cannot be loaded.
    """
    if engine not in ENGINES:
        raise ParameterError.unknown("engines", engine, ENGINES)
    if jobs < 1:
        raise ParameterError(f"jobs is {jobs}; expected 1 or more")
    check_scheduler(engine, scheduler)
    reading = options or ReadOptions()
    settings = checked_settings(
        priors=priors,
        tokenizer=tokenizer,
        scheme=scheme,
        scheme_params=params or {},
        path_params=path_params or {},
        align=align or AlignRule(),
        seed=seed,
        max_error_share=max_error_share,
        answer="" if reading.answer is None else answer_language,
    )
    rule = blocks or BlockRule()
    out = Path(out)
    inputs = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    refuse_inputs(out, map(Path, inputs))
    skipped: Counter[str] = Counter()
    records = open_corpus(inputs, reading, skipped=skipped, avoid=outputs_of(out))

    def work(pending: Iterator[Block]) -> Results:
        if engine == "dask":
            return run_dask(pending, settings, scheduler)
        if jobs == 1:
            return run_serial(pending, settings)
        return run_processes(pending, settings, jobs)

    place = place_for(out, resume=resume)
    with alone_in(place.home):
        job = Job(place=place, settings=settings, reading=reading, rule=rule, progress=progress)
        place.begin(resume=resume)
        job.run(cut(records, rule), work, resume=resume)
        return job.finish(skipped)
