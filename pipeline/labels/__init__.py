"""What people said about recordings: rubrics, result files, history, consensus, and the index over them."""
