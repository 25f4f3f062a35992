"""Token weights to subword weights, for any tokenizer that gives character offsets."""

from gazecode.alignment.batch import align_batch
from gazecode.alignment.example import align
from gazecode.alignment.spread import POLICIES
from gazecode.alignment.tokenizer import load_tokenizer, tokenizer_sha256

__all__ = ["POLICIES", "align", "align_batch", "load_tokenizer", "tokenizer_sha256"]
