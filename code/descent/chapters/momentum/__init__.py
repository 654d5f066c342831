"""The chapter on momentum."""
