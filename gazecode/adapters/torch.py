"""PyTorch: data sets, collators, and the losses (of `gazecode.adapters.common.torch_losses`).

``DataLoader(GazeDataset(path), batch_size=8, shuffle=True, collate_fn=Collator(pad_id))`` gives
batches of tensors; `weighted_causal_loss` brings their weights to the loss.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from itertools import chain
from pathlib import Path

from gazecode.adapters import arrays
from gazecode.adapters.common.losses import IGNORED, NORMALIZATIONS, AttentionAlignment, PathMargin
from gazecode.errors import ParameterError
from gazecode.export import iter_examples
from gazecode.export.places import one_dataset
from gazecode.model import Example

try:
    import torch
except ImportError as error:
    raise ImportError(
        "gazecode.adapters.torch needs torch: pip install 'gazecode[torch]'"
    ) from error

from torch import Tensor
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from gazecode.adapters.common.torch_losses import (
    attention_alignment_loss,
    loss_denominator,
    path_margin_loss,
    weighted_causal_loss,
)

__all__ = [
    "IGNORED",
    "NORMALIZATIONS",
    "AttentionAlignment",
    "Collator",
    "GazeDataset",
    "GazeStream",
    "PairCollator",
    "PathMargin",
    "attention_alignment_loss",
    "loss_denominator",
    "path_margin_loss",
    "weighted_causal_loss",
]


class GazeDataset(Dataset[Example]):
    """Examples in memory, by number: a map-style data set, to be shuffled and split at will.

    Parameters
    ----------
    examples
        Examples, or the path of a weights file (Parquet, HDF5 or JSONL) or of a folder of shards.

    Raises
    ------
    SchemaError
        No such file, or one that is not of the schema.

    Examples
    --------
    >>> len(GazeDataset([]))
    0
    """

    def __init__(self, examples: Iterable[Example] | str | Path) -> None:
        if isinstance(examples, str | Path):
            examples = chain.from_iterable(map(iter_examples, one_dataset(examples)))
        self.examples = tuple(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]


class GazeStream(IterableDataset[Example]):
    """Examples of files read as they are asked for: memory stays flat whatever their size.

    Where there are as many shards as readers, each reader takes shards of its own; otherwise
    readers share the rows in turn. Nothing is read twice and nothing is left out.

    Parameters
    ----------
    path
        A weights file, or a folder of shards.
    rank, world_size
        For training loops that start processes by hand: this process's number and how many there
        are. Leave them out with transformers or accelerate, which share out rows themselves.

    Examples
    --------
    >>> import tempfile
    >>> from gazecode.export import to_parquet
    >>> path = Path(tempfile.mkdtemp()) / "weights.parquet"
    >>> _ = to_parquet([], path)
    >>> list(GazeStream(path))
    []
    """

    def __init__(self, path: str | Path, *, rank: int = 0, world_size: int = 1) -> None:
        if not 0 <= rank < world_size:
            raise ParameterError(f"rank is {rank} of {world_size}; expected 0 to world_size - 1")
        self.files = one_dataset(path)
        self.rank, self.world_size = rank, world_size

    def __iter__(self) -> Iterator[Example]:
        worker = get_worker_info()
        n_workers, number = (worker.num_workers, worker.id) if worker else (1, 0)
        readers = self.world_size * n_workers
        own = self.rank * n_workers + number
        if len(self.files) >= readers:
            yield from chain.from_iterable(map(iter_examples, self.files[own::readers]))
            return
        rows = chain.from_iterable(map(iter_examples, self.files))
        yield from (example for row, example in enumerate(rows) if row % readers == own)


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads examples to a batch of tensors; for ``DataLoader(collate_fn=...)``.

    Attributes
    ----------
    pad_id, multiple_of, max_length, target, direction, allow_inert
        As for `gazecode.adapters.arrays.collate`, which also says what a batch holds.
    """

    pad_id: int = 0
    _: KW_ONLY
    multiple_of: int = 1
    max_length: int | None = None
    target: str | None = None
    direction: str = "forward"
    allow_inert: bool = False

    def __call__(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Pad `examples` to tensors ``(B, T)``."""
        return _tensors(arrays.collate(examples, **asdict(self)))


class PairCollator(Collator):
    """Pads pairs, as `arrays.pairs` makes them, to tensors ``chosen_*`` and ``rejected_*``."""

    __slots__ = ()

    def __call__(self, examples: Sequence[arrays.Pair]) -> dict[str, Tensor]:  # type: ignore[override]
        """Pad pairs to tensors ``(B, T)``."""
        return _tensors(arrays.collate_pairs(examples, **asdict(self)))


def _tensors(batch: arrays.Batch) -> dict[str, Tensor]:
    return {name: torch.from_numpy(column) for name, column in batch.items()}
