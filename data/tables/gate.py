# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as a descriptor; its own documentation assigns a string.
"""The firm's gate: a table without rows; a server uses the lock alone (`data.engines.shared.gate`)."""

from sqlmodel import Field

from data.tables.columns import TableRow


class FirmGate(TableRow, table=True):
    """Locked by whoever writes, in a mode of its own for what must see all that others have done."""

    __tablename__ = "firm_gate"
    name: str = Field(primary_key=True)
