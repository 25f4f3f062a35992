"""Thin hand-overs of examples to trainers: a module each, none of them loaded by the core.

``arrays`` (plain numpy, Megatron), ``torch``, ``transformers``, ``jax`` and ``datasets`` are what
there is to import. What they share stands once in ``common``: the losses, padding, groups and
pairs, rows of tables, the terms of a trainer's loss.
"""
