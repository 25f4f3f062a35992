"""Human-attention priors: fitted from readings, merged, split, loaded and saved.

How often programmers look at each kind of token, and which kind follows which: the Beta posteriors
and label sequences of the EyeMulator method (Zhang et al.; EyeTrans, doi:10.1145/3643732), with
what they need to be believed: the null of chance gaze, intervals over people and sources, and the
counts of all that was left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from gazecode.errors import DataError, ParameterError
from gazecode.model import Hits, LabelPriors, SourceTokens
from gazecode.model.checks import BoolArray, FloatArray, StrArray
from gazecode.priors.cells import KEYS, Cells, participant_id
from gazecode.priors.content import Content, content_of, less, published_of, remarks, shared
from gazecode.priors.fit import RULES, Rules
from gazecode.priors.intervals import Intervals, enrichment, intervals_of
from gazecode.priors.merging import merged, merged_vocabulary
from gazecode.priors.ngrams import unpacked_tables
from gazecode.priors.plain import write_folder, write_text
from gazecode.priors.published import BETA, load_published, published_files
from gazecode.priors.reading import Reading
from gazecode.priors.selection import counted, paired
from gazecode.priors.stored import dumps, loads
from gazecode.priors.table import Row, rows_of, text_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Priors"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priors(LabelPriors):
    """What is known of where programmers look, with all it was counted from.

    Beside the fields of `gazecode.model.LabelPriors`:

    Attributes
    ----------
    cells
        Sums per participant × source × task × group.
    is_sorted
        Whether the sequences lost their direction.
    studies
        Names of the studies that the opaque ids of people were made with.
    anonymous
        People counted in `n_people` who have no id: those of a pooled file.
    of_pooled
        Sources of a pooled file, which no cell names.
    group_of
        Pairs of a source and the digest of its tokens.
    kept
        Intervals of a pooled file, which cannot be computed again.

    Examples
    --------
    >>> from gazecode.source import parse
    >>> tokens = parse("while (x) y();", language="java")
    >>> hits = Hits(
    ...     fixation=[0, 1],
    ...     token=[0, 2],
    ...     share=[1, 1],
    ...     onset_ms=[0, 300],
    ...     duration_ms=[250, 250],
    ...     status=["token", "token"],
    ...     exposure_ms=[900] * len(tokens),
    ... )
    >>> pri = Priors.fit([(tokens, hits)], participants=["P1"])
    >>> tokens.label[[0, 2]].tolist(), pri.n_people
    (['loop', 'conditional statement'], 1)
    >>> pri.frequency(("loop", "conditional statement"))
    1

    Counts add up, people can be left out again, and a file brings everything back:

    >>> other = Priors.fit([(tokens, hits)], participants=["P2"])
    >>> both = Priors.merge([pri, other])
    >>> both.n_people, float(both.shown.sum()), float(both.without("P2").shown.sum())
    (2, 6.0, 3.0)
    >>> import tempfile
    >>> path = both.save(Path(tempfile.mkdtemp()) / "priors.json")
    >>> Priors.load(path).salience("loop") == both.salience("loop")
    True
    """

    cells: Cells
    is_sorted: bool = False
    studies: tuple[str, ...] = ()
    anonymous: int = 0
    of_pooled: tuple[str, ...] = ()
    group_of: frozenset[tuple[str, str]] = frozenset()
    kept: Intervals | None = None

    def __post_init__(self) -> None:
        LabelPriors.__post_init__(self)
        total = self.cells.total
        if not all(np.array_equal(getattr(self, name), total[name]) for name in ("hit", "shown")):
            raise DataError(
                "hit and shown are not the sums of the cells; make priors by fit or load"
            )

    @classmethod
    def fit(
        cls,
        readings: Iterable[Reading | tuple[SourceTokens, Hits]],
        *,
        participants: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
        tasks: Sequence[str] | None = None,
        groups: Sequence[str] | None = None,
        study: str = "",
        leave_out: str | Iterable[str] | None = None,
        rules: Rules = RULES,
        name: str = "fitted",
    ) -> Self:
        """Count readings: pairs ``(tokens, hits)``, one per participant × trial, or `Reading`.

        Parameters
        ----------
        participants, sources, tasks, groups
            One per reading. Without `participants` nobody knows how many people there were:
            `n_people` is 0 and no interval goes over people. A source is by default the SHA-256
            of its code.
        study
            Goes into the opaque ids of people.
        leave_out
            People whose readings are not counted.
        rules
            What counts: least exposure, bridging, activities.

        Raises
        ------
        DataError
            No reading, or tokens and hits that are not of the same trial.
        ParameterError
            A list of another length than `readings`; a person to leave out who is not there.
        """
        known = paired(
            readings,
            study=study,
            participants=participants,
            sources=sources,
            tasks=tasks,
            groups=groups,
        )
        return cls.of(counted(known, leave_out=leave_out, rules=rules, name=name))

    @classmethod
    def fit_runs(
        cls,
        folders: str | Path | Iterable[str | Path],
        *,
        task: str | None = None,
        group: str | None = None,
        leave_out: str | Iterable[str] | None = None,
        rules: Rules = RULES,
        name: str = "fitted",
    ) -> Self:
        """Count what runs left: ``tokens.parquet``, ``hits.parquet``, ``fixations.parquet``.

        Parameters
        ----------
        folders
            One folder of ``gazecode run``, or many.
        task, group
            Only readings of this task or group of the study; `split` gives all of them.

        Raises
        ------
        FormatError
            A table is missing or not one that a run wrote.
        ParameterError
            A task, group or person that is not there; a run, or a reading, that is there twice.
        """
        from gazecode.priors.runs import read_runs

        paths = [folders] if isinstance(folders, str | Path) else folders
        readings = read_runs([Path(path) for path in paths])
        return cls.of(
            counted(readings, task=task, group=group, leave_out=leave_out, rules=rules, name=name)
        )

    @classmethod
    def load(cls, path: str | Path, preset: str | None = None) -> Self:
        """Read priors.

        Parameters
        ----------
        path
            A file that `save` wrote; a folder with one published set, or its
            ``beta_distribution.json``; or the folder of the sets.
        preset
            Which of several sets: "combined" (by default), "reading" or "writing".

        Raises
        ------
        FormatError
            No such file, broken, or with a label that is none of the 19.
        ParameterError
            A folder of several sets without "combined" and no preset, or an unknown one.

        Notes
        -----
        Published sets: what cannot be a label is set aside with counts (``details["set_aside"]``);
        people, sources and chance are not known. ``indexed_ngrams.json`` gives a
        `GazecodeWarning`: its ids decode nothing.
        """
        found = Path(path)
        if found.name == BETA and found.is_file():
            found = found.parent
        if found.is_dir():
            return cls.of(content_of(load_published(found, preset)))
        if preset is not None:
            raise ParameterError(f"{found.name} is one file; preset is for a folder of sets")
        return cls.of(loads(found))

    @classmethod
    def merge(cls, priors: Sequence["Priors"], name: str = "") -> Self:
        """Add the counts of several priors.

        All counts add up exactly, in any order. If some tables are sorted, the others are sorted
        as well, with a `GazecodeWarning`; so is a pooled part that shares sources with another.
        Nothing, no priors, or gaze that would count twice is a `ParameterError`.
        """
        if isinstance(priors, LabelPriors) or not all(isinstance(p, Priors) for p in priors):
            raise ParameterError(f"found {priors!r:.60} to merge; expected a list of Priors")
        contents = [p.content() for p in priors]
        return cls.of(merged(contents, vocabulary=merged_vocabulary(priors), name=name))

    @classmethod
    def of(cls, content: Content) -> Self:
        """Compute what follows from the cells."""
        total = content.cells.total
        with np.errstate(invalid="ignore"):
            null = total["chance"] / total["null_shown"]
        cells = content.cells
        # What was pooled belongs to no cell that has an id.
        anonymous = content.anonymous if "" in cells.participant else 0
        of_pooled = content.sources if "" in cells.source else ()
        sources = {*of_pooled, *cells.levels("source")}
        group_of = frozenset(pair for pair in content.group_of if pair[0] in sources)
        bare = len(sources) - len({source for source, _ in group_of})
        said = remarks(cells.counts, total, content.details, without_group=bare)
        return cls(
            hit=total["hit"],
            shown=total["shown"],
            theta_null=null,
            ngrams=unpacked_tables(*cells.ngrams[:, 1:].T, is_sorted=content.is_sorted),
            vocabulary=content.vocabulary,
            sources=tuple(sorted(sources)),
            source_groups=tuple(sorted({group for _, group in group_of})),
            n_people=len(cells.levels("participant")) + anonymous,
            name=content.name,
            details={**content.details, "counts": cells.counts, "remarks": said},
            cells=cells,
            is_sorted=content.is_sorted,
            studies=content.studies,
            anonymous=anonymous,
            of_pooled=of_pooled,
            group_of=group_of,
            kept=content.kept,
        )

    def content(self) -> Content:
        """What a file of these priors holds."""
        return Content(
            cells=self.cells,
            name=self.name,
            is_sorted=self.is_sorted,
            vocabulary=self.vocabulary,
            sources=self.of_pooled,
            group_of=self.group_of,
            studies=self.studies,
            anonymous=self.anonymous,
            details=self.details,
            kept=self.kept,
        )

    @property
    def participants(self) -> tuple[str, ...]:
        """Opaque ids of the people counted, sorted."""
        return tuple(self.cells.levels("participant"))

    @property
    def enrichment(self) -> FloatArray:
        """``(N_LABELS,)`` logit theta - logit theta_null over the trials whose null is known.

        NaN where no null is known, or where chance hits always or never.
        """
        total = self.cells.total
        return enrichment(total["null_hit"], total["null_shown"], total["chance"])

    def without(self, *people: str) -> "Priors":
        """The same priors without the gaze of some people, by name or by opaque id.

        Raises
        ------
        ParameterError
            Somebody who is not among them.
        """
        gone = [self._person(person) for person in people]
        return Priors.of(less(self.content(), gone))

    def _person(self, person: str) -> str:
        for known in (person, *(participant_id(person, study) for study in self.studies)):
            if known in self.participants:
                return known
        raise ParameterError(
            f"{person!r} is not among the {len(self.participants)} people of {self.name or 'these'}"
            " priors; give a name of the study or one of .participants"
        )

    def leave_one_out(self) -> Iterator[tuple[str, "Priors"]]:
        """For each person (opaque id) the priors of all the others, from the sums alone."""
        for person in self.participants:
            yield person, self.without(person)

    def split(self, by: str) -> dict[str, "Priors"]:
        """Priors per task, group, source or participant; by anything else, a `ParameterError`."""
        if by not in KEYS:
            raise ParameterError.unknown("what priors are split by", by, KEYS)
        of: StrArray = getattr(self.cells, by)
        parts = {}
        for value in sorted(set(of.tolist())):
            keep: BoolArray = np.asarray(of == value, dtype=bool)
            name = f"{self.name} {by} {value}".strip()
            parts[value] = Priors.of(
                replace(self.content(), cells=self.cells.take(keep), name=name)
            )
        return parts

    def intervals(self, *, level: float = 0.95, replicates: int = 2000, seed: int = 0) -> Intervals:
        """Bounds by a crossed bootstrap over people and sources; rare labels shrunk.

        Those of a pooled file come as they were stored. A level outside (0, 1), or fewer than 1000
        replicates, is a `ParameterError`.
        """
        if self.kept is not None:
            return self.kept
        return intervals_of(self.cells, level=level, replicates=replicates, seed=seed)

    def rows(self, intervals: Intervals | None = None) -> list[Row]:
        """One row per label: counts, theta with interval and null, enrichment, size, flag."""
        return rows_of(self, self.cells, intervals or self.intervals())

    def to_frame(self, intervals: Intervals | None = None) -> "pd.DataFrame":
        """One row per label, in alphabetical order; NaN is unknown, the flag says why.

        Columns: label, n, hit, alpha, beta, theta, sd_beta (the plain Beta), low, high,
        theta_shrunk, sd_shrunk, n_effective, theta_null, null_n, enrichment, enrichment_low,
        enrichment_high, characters, area_px2, dwell_ms (means per trial), visits, flag.
        """
        import pandas as pd

        return pd.DataFrame(self.rows(intervals))

    def to_text(self, intervals: Intervals | None = None) -> str:
        """The main columns of `to_frame` as plain text; what is not known is called unknown."""
        return text_of(self.rows(intervals))

    def save(self, path: str | Path, *, layout: str = "json", share: bool = False) -> Path:
        """Write priors; the file or folder appears whole or not at all.

        Parameters
        ----------
        path
            The file; with ``layout="published"`` a new folder.
        layout
            ``"json"``: everything, the same bytes for the same content. ``"published"``: the files
            of the EyeMulator release; sequences are sorted, those that repeat a label are left
            out with a `GazecodeWarning`.
        share
            Pool all people and sources into one row and leave their ids out, for a file that
            leaves the lab. Intervals are kept as they are.

        Raises
        ------
        ParameterError
            An unknown layout, a folder that is not there, or `share` with fewer than five people.
        """
        if layout == "published":
            write_folder(published_files(published_of(self.content())), Path(path))
        elif layout == "json":
            found = self.intervals()
            content = self.content()
            if share:
                content = shared(content, found, self.n_people)
            write_text(dumps(content, self.rows(found), found, self.ngrams), Path(path))
        else:
            raise ParameterError.unknown("layouts of priors", layout, ("json", "published"))
        return Path(path)
