"""The chapter on what a step costs."""
