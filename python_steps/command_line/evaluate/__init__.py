"""`deepinnovation evaluate`: measure results against documents whose answer is known."""
