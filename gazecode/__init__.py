"""Raw gaze of programmers in, subword-aligned attention weights out.

>>> import gazecode as gc
>>> tokens = gc.parse("int x = 1;", language="java")
>>> tokens.texts
['int', 'x', '=', '1', ';']

The line, one verb per stage::

    read → assess → detect → grid_layout / box_layout → map_to_tokens → weigh → align → to_parquet

and for code nobody looked at::

    Priors.fit → parse → pseudo_scan_path → weigh → align, or weigh_corpus for all of a corpus

`docs/tutorial.md` walks it; ``gazecode --help`` runs it from a shell.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from gazecode.version import __version__

if TYPE_CHECKING:
    from gazecode import agreement, attention, errors, quality, simulate
    from gazecode.alignment import (
        Template,
        align,
        align_pair,
        align_windows,
        chat_template,
        fim_template,
        load_tokenizer,
    )
    from gazecode.corpus import eyemulator_weights, weigh_corpus
    from gazecode.detection import choose_detector, detect, event_measures, with_activity
    from gazecode.export import (
        from_pymovements,
        read_examples,
        to_bids,
        to_eyemulator,
        to_hdf5,
        to_jsonl,
        to_parquet,
        to_pymovements,
        to_safetensors,
        to_xarray,
    )
    from gazecode.mapping import (
        assign_lines,
        box_layout,
        estimate_drift,
        grid_layout,
        hits_from_positions,
        image_layout,
        map_to_tokens,
    )
    from gazecode.measures import linearity, pool_transitions, reading_measures, transitions
    from gazecode.model import (
        Events,
        Example,
        Hits,
        Layout,
        Recording,
        Samples,
        ScanPath,
        Screen,
        SourceTokens,
        TokenWeights,
        Transitions,
        Trial,
        Validation,
    )
    from gazecode.pipeline import assess
    from gazecode.priors import Priors, pseudo_scan_path
    from gazecode.readers import read
    from gazecode.source import parse
    from gazecode.splitting import split
    from gazecode.weighting import pool, weigh

__all__ = [
    "Events",
    "Example",
    "Hits",
    "Layout",
    "Priors",
    "Recording",
    "Samples",
    "ScanPath",
    "Screen",
    "SourceTokens",
    "Template",
    "TokenWeights",
    "Transitions",
    "Trial",
    "Validation",
    "__version__",
    "agreement",
    "align",
    "align_pair",
    "align_windows",
    "assess",
    "assign_lines",
    "attention",
    "box_layout",
    "chat_template",
    "choose_detector",
    "detect",
    "errors",
    "estimate_drift",
    "event_measures",
    "eyemulator_weights",
    "fim_template",
    "from_pymovements",
    "grid_layout",
    "hits_from_positions",
    "image_layout",
    "linearity",
    "load_tokenizer",
    "map_to_tokens",
    "parse",
    "pool",
    "pool_transitions",
    "pseudo_scan_path",
    "quality",
    "read",
    "read_examples",
    "reading_measures",
    "simulate",
    "split",
    "to_bids",
    "to_eyemulator",
    "to_hdf5",
    "to_jsonl",
    "to_parquet",
    "to_pymovements",
    "to_safetensors",
    "to_xarray",
    "transitions",
    "weigh",
    "weigh_corpus",
    "with_activity",
]

_HOME = {
    "alignment": (
        *("Template", "align", "align_pair", "align_windows"),
        *("chat_template", "fim_template", "load_tokenizer"),
    ),
    "corpus": ("eyemulator_weights", "weigh_corpus"),
    "detection": ("choose_detector", "detect", "event_measures", "with_activity"),
    "export": (
        *("read_examples", "to_eyemulator", "to_hdf5", "to_jsonl"),
        *("to_parquet", "to_safetensors", "to_xarray"),
        *("from_pymovements", "to_bids", "to_pymovements"),
    ),
    "mapping": (
        *("assign_lines", "box_layout", "estimate_drift", "grid_layout"),
        *("hits_from_positions", "image_layout", "map_to_tokens"),
    ),
    "measures": ("linearity", "pool_transitions", "reading_measures", "transitions"),
    "model": (
        *("Events", "Example", "Hits", "Layout", "Recording", "Samples"),
        *("ScanPath", "Screen", "SourceTokens", "TokenWeights", "Transitions", "Trial"),
        "Validation",
    ),
    "pipeline": ("assess",),
    "priors": ("Priors", "pseudo_scan_path"),
    "readers": ("read",),
    "source": ("parse",),
    "splitting": ("split",),
    "weighting": ("pool", "weigh"),
}
"""Where each public name lives: it is loaded when first asked for (PEP 562)."""


def __getattr__(name: str) -> object:
    """Load a public name, or a sub-package, when it is first used."""
    for home, names in _HOME.items():
        if name in names:
            found: object = getattr(import_module(f"gazecode.{home}"), name)
            globals()[name] = found
            return found
    if name in __all__ or name in _HOME:
        return import_module(f"gazecode.{name}")
    raise AttributeError(f"module 'gazecode' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
