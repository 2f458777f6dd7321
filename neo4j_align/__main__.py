"""`python -m neo4j_align`: the command line."""

from neo4j_align.cli import main

main(prog_name="neo4j-align")
