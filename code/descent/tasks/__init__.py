"""What is trained, and on what: problems, networks, data, and the samples that a step sees."""
