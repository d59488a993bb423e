"""The guards of reservations, one statement for many clients; whom it does not serve it leaves as it was.

Each takes its rows as JSON and returns the keys of those that were served.
"""

RESERVE_MONEY = """
    UPDATE funds SET
        available_paise = available_paise - n.need,
        blocked_paise = blocked_paise + n.need,
        mtf_reserved_paise = mtf_reserved_paise + n.loan
    FROM (
        SELECT json_extract(value, '$[0]') AS client_id,
               json_extract(value, '$[1]') AS need,
               json_extract(value, '$[2]') AS loan
        FROM json_each(?)
    ) AS n
    WHERE funds.client_id = n.client_id
      AND funds.available_paise >= n.need
      AND (n.loan = 0 OR funds.mtf_loan_paise + funds.mtf_reserved_paise + n.loan <= funds.mtf_limit_paise)
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING funds.client_id
    """
"""Rows of client, need and loan in paise: an active client, its money and its room for loans."""

RESERVE_SHARES = """
    UPDATE holding SET blocked = blocked + n.quantity
    FROM (
        SELECT json_extract(value, '$[0]') AS client_id,
               json_extract(value, '$[1]') AS security,
               json_extract(value, '$[2]') AS product,
               json_extract(value, '$[3]') AS quantity,
               json_extract(value, '$[4]') AS settled_only
        FROM json_each(?)
    ) AS n
    WHERE holding.client_id = n.client_id AND holding.security = n.security
      AND holding.product = n.product
      AND holding.free + CASE n.settled_only WHEN 1 THEN 0 ELSE holding.t1 + holding.today END
          - holding.blocked >= n.quantity
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING holding.client_id, holding.security, holding.product
    """
"""Rows of client, security, product, quantity and whether only settled shares may go."""
