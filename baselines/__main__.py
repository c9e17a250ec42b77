"""`python -m baselines`: the command line where the script `stmg` is not on the path."""

from baselines.cli import main

if __name__ == "__main__":
    main(prog_name="stmg")
