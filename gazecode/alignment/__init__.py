"""Token weights to subword weights, for any tokenizer that gives character offsets.

The modules, in the order in which they work:

* the text: ``template`` (``chat`` and ``fim`` make them), ``filling``
* its subwords: ``tokenizer``, ``encode``, ``offsets`` (``pieces``, ``spelling``), ``segments``
* the AST tokens in it: ``carried``, ``spread``, ``saccades``
* the weights: ``routes`` (``matching``), ``rule``, ``strength``
* all of it for many sources: ``task`` (what is given), ``laying`` (what is done), ``identity``,
  ``selection``
* the calls: ``example``, ``batch``, ``pairs``, ``windows`` (``window_plan``, ``window_tokens``)
* what heads are taught: ``targets``, ``causal``
"""

from gazecode.alignment.batch import align_batch
from gazecode.alignment.chat import chat_template
from gazecode.alignment.example import align, align_windows
from gazecode.alignment.fim import FIM_LAYOUTS, FimLayout, fim_template
from gazecode.alignment.pairs import align_pair
from gazecode.alignment.routes import ROUTES
from gazecode.alignment.spread import POLICIES
from gazecode.alignment.targets import (
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
from gazecode.alignment.template import Template
from gazecode.alignment.tokenizer import load_tokenizer, tokenizer_sha256

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
