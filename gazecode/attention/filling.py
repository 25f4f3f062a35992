"""A masked language model that fills the place of a token with what it expects there.

Texts longer than the model's positions are filled from a window around the place.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gazecode.attention.model import at_rest, context_limit, device_of, load_model
from gazecode.attention.prompt import Prompt, prompt_of
from gazecode.errors import ParameterError
from gazecode.model.checks import IntArray

__all__ = ["FILLS", "Filler", "filler_of"]

FILLS = ("left_to_right", "parallel", "single")

_MASKS = ("[MASK]", "<mask>", "<|mask|>", "[mask]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """A masked language model with its tokenizer.

    Attributes
    ----------
    model
        A masked language model of transformers.
    tokenizer
        As `gazecode.attention.prompt.prompt_of` takes it.
    mask_id
        What stands for a masked subword.
    name
        For the record.
    """

    model: Any
    tokenizer: Any
    mask_id: int
    name: str

    def fill(self, text: str, span: IntArray, *, how: str, batch: int = 8) -> list[str | None]:
        """Return the text with each place replaced in turn.

        Parameters
        ----------
        text
            What the places are in.
        span
            ``(t, 2)`` bytes of the text.
        how
            One of `FILLS`.
        batch
            Texts at once.

        Returns
        -------
        list
            ``t`` texts; None where no subword of the filler lies in the place.
        """
        if how not in FILLS:
            raise ParameterError.unknown("fill", how, FILLS)
        prompt = prompt_of(text, self.tokenizer)
        places = [_subwords(prompt, a, b) for a, b in span.tolist()]
        rows = [self._masked(prompt, place, how) for place in places if place.size]
        filled = iter(self._top(rows, together=how == "parallel", batch=batch))
        return [
            _replaced(text.encode(), prompt.spans[place], a, b, self._spelled(next(filled)))
            if place.size
            else None
            for place, (a, b) in zip(places, span.tolist(), strict=True)
        ]

    def _masked(self, prompt: Prompt, place: IntArray, how: str) -> tuple[IntArray, IntArray]:
        """Ids with masks in one place, cut to what the model can hold; and where the masks are."""
        before, after = prompt.ids[: place[0]], prompt.ids[place[-1] + 1 :]
        masks = np.full(1 if how == "single" else len(place), self.mask_id)
        head = before[: int(prompt.special[: place[0]].cumprod().sum())]
        tail = after[len(after) - int(prompt.special[place[-1] + 1 :][::-1].cumprod().sum()) :]
        before, after = before[len(head) :], after[: len(after) - len(tail)]
        room = self.limit - len(masks) - len(head) - len(tail)
        if room < 0:
            raise ParameterError(
                f"a token has {len(masks)} subwords, the filler {self.name} {self.limit} positions;"
                " pass fill='single' or another filler"
            )
        left = min(len(before), max(room // 2, room - len(after)))
        right = min(len(after), room - left)
        ids = np.concatenate([head, before[len(before) - left :], masks, after[:right], tail])
        first = len(head) + left
        return ids, np.arange(first, first + len(masks))

    @property
    def limit(self) -> int:
        """How many positions the model has."""
        return context_limit(self.model) or 1 << 30

    def _top(
        self, rows: list[tuple[IntArray, IntArray]], *, together: bool, batch: int
    ) -> list[IntArray]:
        """The most likely ids of the masks of every row."""
        import torch

        if batch < 1:
            raise ParameterError(f"batch is {batch}; expected 1 or more")
        out: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(rows)
        order = np.argsort([len(ids) for ids, _ in rows], kind="stable").tolist()
        with at_rest(self.model), torch.no_grad():
            for start in range(0, len(rows), batch):
                numbers = order[start : start + batch]
                self._fill_batch([rows[i] for i in numbers], together=together)
                for i in numbers:
                    out[i] = rows[i][0][rows[i][1]]
        return out

    def _fill_batch(self, rows: list[tuple[IntArray, IntArray]], *, together: bool) -> None:
        """Fill the masks of some rows, in place: all at once, or the first left in each round."""
        rounds = 1 if together else max(len(at) for _, at in rows)
        for k in range(rounds):
            open_rows = [
                (ids, at if together else at[k : k + 1]) for ids, at in rows if len(at) > k
            ]
            best = self._best([ids for ids, _ in open_rows], [at for _, at in open_rows])
            for (ids, at), found in zip(open_rows, best, strict=True):
                ids[at] = found

    def _best(self, rows: list[IntArray], places: list[IntArray]) -> list[IntArray]:
        import torch

        config = getattr(self.model, "config", None)
        device = device_of(self.model)
        width = max(len(ids) for ids in rows)
        # RoBERTa counts positions from its padding, so that it must be the model's own.
        padded = np.full((len(rows), width), int(getattr(config, "pad_token_id", 0) or 0))
        seen = np.zeros((len(rows), width), dtype=np.int64)
        for k, ids in enumerate(rows):
            padded[k, : len(ids)], seen[k, : len(ids)] = ids, 1
        logits = self.model(
            input_ids=torch.as_tensor(padded, device=device),
            attention_mask=torch.as_tensor(seen, device=device),
        ).logits
        row = np.repeat(np.arange(len(rows)), [len(at) for at in places])
        chosen = logits[row, np.concatenate(places)].float().cpu().numpy()
        chosen[:, [i for i in self._special() if i < chosen.shape[1]]] = -np.inf
        # Ids beyond the tokenizer pad the vocabulary of many models.
        chosen[:, self._size() :] = -np.inf
        best = chosen.argmax(axis=1)
        return np.split(best, np.cumsum([len(at) for at in places])[:-1])

    def _special(self) -> list[int]:
        from gazecode.alignment.subwords.tokenizer import prepare

        unknown = [prepare(self.tokenizer).tokenizer.token_to_id(n) for n in ("[UNK]", "<unk>")]
        found: list[int] = prepare(self.tokenizer).special_ids.tolist()
        return found + [i for i in unknown if i is not None]

    def _size(self) -> int:
        from gazecode.alignment.subwords.tokenizer import prepare

        return int(prepare(self.tokenizer).tokenizer.get_vocab_size())

    def _spelled(self, ids: IntArray) -> str:
        from gazecode.alignment.subwords.tokenizer import prepare

        spelled: str = prepare(self.tokenizer).tokenizer.decode(ids.tolist())
        return spelled.removeprefix("##").strip()


def filler_of(filler: Any, tokenizer: Any = None) -> Filler:
    """Bring a masked language model and its tokenizer together.

    Parameters
    ----------
    filler
        The model, or a folder with it; nothing is fetched.
    tokenizer
        Its tokenizer; by default ``tokenizer.json`` of the folder.

    Raises
    ------
    ParameterError
        There is none, or its tokenizer has no mask.
    """
    if isinstance(filler, Filler):
        return filler
    if filler is None:
        raise ParameterError(
            "masked_lm needs a masked language model: pass filler=FOLDER (model and tokenizer.json,"
            " as save_pretrained writes them), or filler=model and filler_tokenizer=tokenizer"
        )
    name = getattr(getattr(filler, "config", None), "name_or_path", "") or type(filler).__name__
    if isinstance(filler, str | Path):
        folder, name = Path(filler), Path(filler).name
        if not folder.is_dir():
            raise ParameterError(
                f"{folder}: no such folder; expected one with a masked language model and its "
                "tokenizer.json, as save_pretrained writes them"
            )
        filler = load_model(folder, masked=True)
        tokenizer = folder if tokenizer is None else tokenizer
    if tokenizer is None:
        raise ParameterError(
            f"the filler {name} comes without a tokenizer; pass filler_tokenizer=tokenizer"
        )
    return Filler(model=filler, tokenizer=tokenizer, mask_id=_mask_of(tokenizer), name=name)


def _mask_of(tokenizer: Any) -> int:
    from gazecode.alignment.subwords.tokenizer import prepare

    own = getattr(tokenizer, "mask_token_id", None)
    if isinstance(own, int):
        return own
    backend = prepare(tokenizer).tokenizer
    found = [i for i in map(backend.token_to_id, _MASKS) if i is not None]
    if not found:
        raise ParameterError(
            f"the filler's tokenizer has no mask ({', '.join(_MASKS)}); expected that of a masked "
            "language model such as BERT or RoBERTa"
        )
    return int(found[0])


def _subwords(prompt: Prompt, start: int, end: int) -> IntArray:
    """Subwords of the filler that have a byte of the place, from the first to the last."""
    a, b = prompt.spans.T
    met = np.flatnonzero(~prompt.special & (a < end) & (b > start))
    return np.arange(met[0], met[-1] + 1) if met.size else met


def _replaced(code: bytes, spans: IntArray, start: int, end: int, found: str) -> str:
    """The text with a place filled; the white space its subwords carry stays as it was."""
    low, high = min(start, int(spans[0, 0])), max(end, int(spans[-1, 1]))
    old = code[low:high].decode("utf-8", "replace")
    before, after = old[: len(old) - len(old.lstrip())], old[len(old.rstrip()) :]
    return code[:low].decode() + before + found + after + code[high:].decode()
