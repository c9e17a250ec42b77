"""A game, an algorithm and a suite for stmg, in a package of their own."""
