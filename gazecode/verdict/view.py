"""A recording with its report, as the page of quality shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

from gazecode.model import Events, Recording
from gazecode.quality import QualityReport
from gazecode.report import QualityView, step_histogram
from gazecode.study.page import quality_view
from gazecode.verdict.drawn import MAX_MAPS, gaze_maps, loss_over_time, precision_of, saccades_of
from gazecode.verdict.figures import figure_groups
from gazecode.verdict.tables import tables

__all__ = ["images_inside", "view_of"]


def view_of(
    name: str,
    recording: Recording,
    report: QualityReport,
    *,
    events: Events | None = None,
    images: Mapping[str, bytes | None] | None = None,
    notes: Sequence[str] = (),
    max_maps: int = MAX_MAPS,
) -> QualityView:
    """One recording on the page: verdict, figures with their meaning, tables, maps, plots.

    Parameters
    ----------
    name
        What the page calls the recording.
    events
        Those under which precision was measured.
    images
        Trial name → what was on the screen; what the file itself holds by default.
    notes
        What else must be known, beside the report's warnings.
    max_maps
        Trials that are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> from gazecode.model import Samples
    >>> from gazecode.quality import assess
    >>> samples = Samples(t_ms=np.arange(300) * 4.0, xy_px=np.full((300, 2), 50.0), eye="left")
    >>> recording = Recording(samples={"left": samples})
    >>> view = view_of("P1.asc", recording, assess(recording))
    >>> view.recording.usable, [group.title for group in view.figures][:2]
    (True, ['Loss', 'Clock and rate'])
    """
    recording = replace(recording, joined=recording.gaze)
    shown = images_inside(recording) if images is None else images
    row = quality_view(
        name,
        provenance=recording.provenance,
        quality=report.to_dict(),
        steps_ms=step_histogram(recording.gaze),
        loss=loss_over_time(recording),
    )
    # Its plots run over the whole recording, its figures over the trials.
    length = recording.duration_ms or row.duration_ms
    maps, rest = gaze_maps(recording, events, shown, most=max_maps)
    saccades, whose = saccades_of(recording, events)
    return QualityView(
        recording=replace(row, participant=report.participant, duration_ms=length),
        warnings=[*report.warnings, *notes],
        figures=figure_groups(report, saccades=whose),
        tables=tables(report),
        maps=maps,
        maps_note=rest,
        precision=precision_of(recording, events),
        saccades=saccades,
    )


def images_inside(recording: Recording) -> dict[str, bytes | None]:
    """What the file itself holds of what was on the screen, by trial."""
    found: dict[str, bytes | None] = {}
    for trial in recording.trials:
        said = trial.stimulus or trial.name
        names = (said, PurePath(said).stem, trial.name)
        own = next((recording.stimuli[n] for n in names if n in recording.stimuli), None)
        found[trial.name] = own.image if own is not None else None
    return found
