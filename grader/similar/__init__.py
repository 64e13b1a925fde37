"""Which submissions are alike? Scores for a person to look into, never a verdict."""

from grader.similar.compare import Pair, alike_pairs, alike_pairs_of
from grader.similar.own_code import own_code
from grader.similar.page import write_page

__all__ = ["Pair", "alike_pairs", "alike_pairs_of", "own_code", "write_page"]
