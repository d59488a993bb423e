"""What a unit's caller is told of a problem that ended the unit."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from data.errors import StoreFailed

_OF_THE_UNIT = (IntegrityError, DataError, ProgrammingError, InterfaceError)
"""What the database says of a unit's own statements and values; all else speaks of the database."""


def failed(problem: BaseException) -> BaseException:
    """What a unit's caller is told of a problem."""
    if not isinstance(problem, DBAPIError) or isinstance(problem, _OF_THE_UNIT):
        return problem
    told = StoreFailed(str(problem.orig))
    told.__cause__ = problem
    return told
