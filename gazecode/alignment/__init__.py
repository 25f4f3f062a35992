"""Token weights to subword weights, for any tokenizer that gives character offsets.

In the order in which they work:

* the text: ``templates``; its subwords: ``subwords``
* the AST tokens in it: ``carried``, ``spread``, ``saccades``
* the weights: ``routes``, ``rule``, ``strength``
* all of it for many sources: ``task`` (what is given), ``laying`` (what is done), ``identity``,
  ``selection``
* the calls: ``example``, ``batch``, ``pairs``; long texts: ``windows``
* what heads are taught: ``targets``
"""

from gazecode.alignment.batch import align_batch
from gazecode.alignment.example import align, align_windows
from gazecode.alignment.pairs import align_pair
from gazecode.alignment.routes.named import ROUTES
from gazecode.alignment.spread import POLICIES
from gazecode.alignment.subwords.tokenizer import load_tokenizer, tokenizer_sha256
from gazecode.alignment.targets.answers import (
    DIRECTIONS,
    SOURCE_SEGMENTS,
    AttentionTarget,
    CausalTarget,
    answer_rows,
    answer_target,
    causal_target,
    full_target,
    preference_masks,
)
from gazecode.alignment.templates.chat import chat_template
from gazecode.alignment.templates.fim import FIM_LAYOUTS, FimLayout, fim_template
from gazecode.alignment.templates.template import Template

__all__ = [
    "DIRECTIONS",
    "FIM_LAYOUTS",
    "POLICIES",
    "ROUTES",
    "SOURCE_SEGMENTS",
    "AttentionTarget",
    "CausalTarget",
    "FimLayout",
    "Template",
    "align",
    "align_batch",
    "align_pair",
    "align_windows",
    "answer_rows",
    "answer_target",
    "causal_target",
    "chat_template",
    "fim_template",
    "full_target",
    "load_tokenizer",
    "preference_masks",
    "tokenizer_sha256",
]
