"""`python -m python_steps` is `deepinnovation`."""

from python_steps.command_line.main import main

main(prog_name="deepinnovation")
