"""Words of what is kept of a home, and for how long."""

from enum import StrEnum


class Prunable(StrEnum):
    """What may be removed once it is old; no book, no proof and no order is among it."""

    EXPORTS = "exports"
    """Files in the home's folder of exports, which can be written anew."""
    BACKUPS = "backups"
    """Backups in the home's own folder, but for the newest."""
    COPIES = "copies"
    """Copies of the books as they were before an upgrade of their tables."""
    RECORDINGS = "recordings"
    """Recorded prices of days."""
    REPLAYS = "replays"
    """Homes in which recorded days were played again, each whole."""
    LOGS = "logs"
    """Rotated logs of the program."""
    DELIVERIES = "deliveries"
    """How alerts left this machine; the alerts themselves stay."""
