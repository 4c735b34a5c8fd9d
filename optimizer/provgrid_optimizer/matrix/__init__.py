"""The linear program of a problem, assembled once as a sparse matrix with labelled blocks.

HiGHS takes it as arrays, PuLP takes the same matrix for other solvers and for files.
"""

from provgrid_optimizer.matrix.assemble import assemble
from provgrid_optimizer.matrix.point import point
from provgrid_optimizer.matrix.program import Block, LinearProgram
from provgrid_optimizer.matrix.read import multipliers, unpack

__all__ = ["Block", "LinearProgram", "assemble", "multipliers", "point", "unpack"]
