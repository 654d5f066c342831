"""The chapter on stochastic gradient descent."""
