"""Long texts as windows: where they are cut (``plan``), what each holds (``cut``, ``tokens``)."""
