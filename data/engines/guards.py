"""The guards of reservations, one statement for many clients; whom it does not serve it leaves as it was.

Each takes its rows as JSON and returns the keys of those that were served.
"""

from functools import cache

from data.engines.dialect import Phrases


@cache
def reserve_money(words: Phrases) -> str:
    """Rows of client, need and loan in paise: an active client, its money and its room for loans."""
    return f"""
    UPDATE funds SET
        available_paise = available_paise - n.need,
        blocked_paise = blocked_paise + n.need,
        mtf_reserved_paise = mtf_reserved_paise + n.loan
    FROM (
        SELECT {words.number_at(0)} AS client_id,
               {words.number_at(1)} AS need,
               {words.number_at(2)} AS loan
        FROM {words.items}
    ) AS n
    WHERE funds.client_id = n.client_id
      AND funds.available_paise >= n.need
      AND (n.loan = 0 OR funds.mtf_loan_paise + funds.mtf_reserved_paise + n.loan <= funds.mtf_limit_paise)
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING funds.client_id
    """


@cache
def reserve_shares(words: Phrases) -> str:
    """Rows of client, security, product, quantity and whether only settled shares may go."""
    return f"""
    UPDATE holding SET blocked = blocked + n.quantity
    FROM (
        SELECT {words.number_at(0)} AS client_id,
               {words.text_at(1)} AS security,
               {words.text_at(2)} AS product,
               {words.number_at(3)} AS quantity,
               {words.number_at(4)} AS settled_only
        FROM {words.items}
    ) AS n
    WHERE holding.client_id = n.client_id AND holding.security = n.security
      AND holding.product = n.product
      AND holding.free + CASE n.settled_only WHEN 1 THEN 0 ELSE holding.t1 + holding.today END
          - holding.blocked >= n.quantity
      AND EXISTS (SELECT 1 FROM client WHERE client.id = n.client_id AND client.status = 'active')
    RETURNING holding.client_id, holding.security, holding.product
    """
