"""The chapter on learning-rate decay."""
