"""The chapter on losses."""
