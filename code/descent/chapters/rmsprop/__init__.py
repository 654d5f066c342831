"""The chapter on RMSprop."""
