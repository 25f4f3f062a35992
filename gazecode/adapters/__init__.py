"""Thin hand-overs of examples to trainers: a module each, none of them loaded by the core.

``arrays`` (plain numpy, Megatron), ``torch``, ``transformers``, ``jax``, ``datasets``.
"""
