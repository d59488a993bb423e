"""What was written under no lease of a client, or under one that it never had, where desks share books."""

from data.engines.driver import On, fetch, sql

_WITHOUT = (
    "SELECT order_id, number FROM attempt WHERE epoch = 0 AND instance_id IN"
    " (SELECT instance_id FROM attempt WHERE epoch > 0 UNION SELECT instance_id FROM fence)"
    " ORDER BY order_id, number"
)
"""Attempts without an epoch, of engines that have leases."""

_BEYOND = (
    "SELECT x.order_id, x.number, x.epoch FROM {0} AS x JOIN orders o ON o.id = x.order_id"
    " JOIN client_lease l ON l.client_id = o.client_id WHERE x.epoch > l.epoch ORDER BY x.order_id, x.number"
)

_OF_TWO = (
    "SELECT o.client_id, a.epoch FROM attempt a JOIN orders o ON o.id = a.order_id WHERE a.epoch > 0"
    " GROUP BY o.client_id, a.epoch HAVING count(DISTINCT a.instance_id) > 1 ORDER BY o.client_id, a.epoch"
)


def lease_faults(on: On) -> list[str]:
    """Attempts without the epoch of their lease, of epochs that never were, and epochs of two engines."""
    connection = sql(on)
    found = [
        f"attempt {number} of order {order} was written without its client's lease"
        for order, number in fetch(connection, _WITHOUT)
    ]
    for table in ("attempt", "request"):
        found += [
            f"{table} {number} of order {order} is of lease {epoch} of its client, which has not come to that"
            for order, number, epoch in fetch(connection, _BEYOND.format(table))
        ]
    found += [
        f"two engines have sent for client {client} under its lease {epoch}"
        for client, epoch in fetch(connection, _OF_TWO)
    ]
    return found
