"""The chapter on Adam."""
