"""A text as subwords: the tokenizer, what it gives (``encode``), and the bytes each one owns.

``offsets`` are read from the library or from the ``spelling`` of ``pieces``; ``segments`` says
which subwords stand for which gap of a template.
"""
