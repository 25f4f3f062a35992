"""What the adapters share, written once; the public names are in the modules one folder up.

``losses`` (the formulas, whatever the arrays) and ``torch_losses``; ``padding`` and ``grouping``
(examples to batches); ``rows`` (a table's rows to examples); ``terms`` (what a trainer's loss is
made of). None of them but ``torch_losses`` and ``terms`` loads a trainer.
"""
