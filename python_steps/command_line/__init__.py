"""The command `deepinnovation`: options in, text out."""
