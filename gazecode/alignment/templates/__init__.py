"""What stands around the code: texts with gaps (``template``, ``chat``, ``fim``), ``filling``."""
