"""What is measured: the curvature of a loss, and how sure a mean is."""
