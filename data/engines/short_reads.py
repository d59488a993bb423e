"""SQLite's text of the short reads: what the repositories send, for who may not import them.

Written by `python -m tests.short_reads`, and held to the repositories by a test.
"""

FUNDS = (
    "SELECT funds.client_id, funds.available_paise, funds.blocked_paise, CAST(coalesce((SELECT "
    "sum(hold.amount_paise) AS sum_1 FROM hold WHERE hold.client_id = funds.client_id AND "
    "hold.released_at IS NULL), ?) AS BIGINT) AS held_paise, funds.unsettled_paise, "
    "funds.charges_due_paise, funds.mtf_limit_paise, funds.mtf_loan_paise, funds.mtf_reserved_paise, "
    "funds.shortfall_paise, CAST(coalesce((SELECT sum(lot.loan_left_paise) AS sum_2 FROM lot WHERE "
    "lot.client_id = funds.client_id AND lot.product = ? AND quantity_left > 0), ?) AS BIGINT) AS "
    "intraday_loan_paise, funds.dividends_due_paise FROM funds"
)
FUNDS_GIVEN = (
    0,
    "MIS",
    0,
)

ORDERS = (
    "SELECT orders.id, orders.run_number, orders.plan_number, orders.client_id, orders.broker, "
    'orders.exchange || ? || coalesce(former_name.now, orders.tradingsymbol) AS "key", '
    "orders.tradingsymbol, orders.side, orders.product, orders.order_type, orders.quantity, "
    "orders.filled_quantity, orders.filled_notional_paise, orders.limit_paise, "
    "orders.reserve_price_paise, orders.state, orders.sub_status, orders.reason_code, "
    "orders.reason_text, orders.broker_order_id, orders.tag, orders.flags AS flags, "
    "orders.blocked_paise, orders.instance_id, orders.trading_date, orders.trigger_paise, "
    "orders.protection_bps, orders.validity, orders.after_market, orders.asked_quantity IS NOT NULL "
    "AS modifying, orders.created_at, orders.sent_at, orders.updated_at, orders.ended_at, "
    "orders.leg, orders.flatten_number, orders.disclosed_quantity FROM orders LEFT OUTER JOIN "
    "former_name ON former_name.security = orders.security AND former_name.exchange = "
    "orders.exchange AND former_name.tradingsymbol = orders.tradingsymbol WHERE orders.run_number IN "
    "(SELECT orders.run_number FROM orders WHERE orders.trading_date >= coalesce((SELECT "
    "max(orders.trading_date) AS max_1 FROM orders WHERE orders.trading_date < ?), ?) OR "
    "orders.state IN (?, ?, ?, ?)) OR orders.run_number IS NULL AND (orders.trading_date >= "
    "coalesce((SELECT max(orders.trading_date) AS max_1 FROM orders WHERE orders.trading_date < ?), "
    "?) OR orders.state IN (?, ?, ?, ?))"
)
ORDERS_GIVEN = (
    ":",
    ":day",
    ":day",
    "OPEN",
    "RESERVED",
    "SENDING",
    "UNKNOWN",
    ":day",
    ":day",
    "OPEN",
    "RESERVED",
    "SENDING",
    "UNKNOWN",
)

ORDERS_OF_DAY = (
    "SELECT orders.id, orders.run_number, orders.plan_number, orders.client_id, orders.broker, "
    'orders.exchange || ? || coalesce(former_name.now, orders.tradingsymbol) AS "key", '
    "orders.tradingsymbol, orders.side, orders.product, orders.order_type, orders.quantity, "
    "orders.filled_quantity, orders.filled_notional_paise, orders.limit_paise, "
    "orders.reserve_price_paise, orders.state, orders.sub_status, orders.reason_code, "
    "orders.reason_text, orders.broker_order_id, orders.tag, orders.flags AS flags, "
    "orders.blocked_paise, orders.instance_id, orders.trading_date, orders.trigger_paise, "
    "orders.protection_bps, orders.validity, orders.after_market, orders.asked_quantity IS NOT NULL "
    "AS modifying, orders.created_at, orders.sent_at, orders.updated_at, orders.ended_at, "
    "orders.leg, orders.flatten_number, orders.disclosed_quantity FROM orders LEFT OUTER JOIN "
    "former_name ON former_name.security = orders.security AND former_name.exchange = "
    "orders.exchange AND former_name.tradingsymbol = orders.tradingsymbol WHERE orders.trading_date "
    "= ? AND orders.run_number IS NOT NULL ORDER BY orders.id"
)
ORDERS_OF_DAY_GIVEN = (
    ":",
    ":day",
)

RUNS = (
    "SELECT run.number, run.plan_number, run.title, run.status, run.actor, run.instance_id, "
    "run.skipped, run.left_paise, run.cut_paise, run.send_within_s, run.drift_limit_bps, "
    "run.priced_paise, run.priced_by, coalesce(run.confirmed_at, run.started_at) AS confirmed_at, "
    "CASE WHEN (run.pause_reason IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) THEN run.pause_reason END AS "
    "pause_reason, run.paused_at, run.paused_age_s, run.paused_price_paise, CASE WHEN (run.phase IN "
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) THEN run.phase END AS phase, run.lower_circuit_paise, "
    "run.upper_circuit_paise, CASE WHEN (run.held IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) THEN run.held "
    "END AS held, CASE WHEN (run.held_phase IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) THEN "
    "run.held_phase END AS held_phase, run.goes_on_at, run.started_at, run.finished_at, "
    "run.rotation_seed, run.rotation_start, run.staged FROM run WHERE run.number IN (SELECT value AS "
    "anon_1 FROM json_each(?) AS anon_2)"
)
RUNS_GIVEN = (
    "trader",
    "drifted",
    "too_old",
    "engine_died",
    "books_differ",
    "other_security",
    "venues_differ",
    "phase_changed",
    "band_moved",
    "market_halted",
    "closed",
    "pre_open",
    "pre_open_limit_only",
    "pre_open_matching",
    "continuous",
    "auction_reference",
    "auction_entry",
    "auction_limit_only",
    "auction_matching",
    "post_close",
    "halted",
    "reopening",
    "unknown",
    "trader",
    "drifted",
    "too_old",
    "engine_died",
    "books_differ",
    "other_security",
    "venues_differ",
    "phase_changed",
    "band_moved",
    "market_halted",
    "closed",
    "pre_open",
    "pre_open_limit_only",
    "pre_open_matching",
    "continuous",
    "auction_reference",
    "auction_entry",
    "auction_limit_only",
    "auction_matching",
    "post_close",
    "halted",
    "reopening",
    "unknown",
    ":numbers",
)

CLIENTS = (
    "SELECT client.id, client.code, client.name, client.broker, client.broker_user_id, "
    "client.status, client.status_reason, client.status_since, client.session, client.capital_paise, "
    "client.phone, client.connection, client.discretionary, client.multiplier_bps, "
    "client.pause_reason, client.paused_at, client.paused_until, sizing_base.capital_paise AS "
    "base_paise, funds.mtf_limit_paise AS mtf_limit_paise FROM client LEFT OUTER JOIN sizing_base ON "
    "sizing_base.client_id = client.id AND sizing_base.trading_date = ? LEFT OUTER JOIN funds ON "
    "funds.client_id = client.id ORDER BY client.code"
)
CLIENTS_GIVEN = (":day",)

GROUPS = "SELECT client_group.client_id, client_group.name FROM client_group"
GROUPS_GIVEN = ()

GROUP_RULES = "SELECT group_rule.name, group_rule.rule FROM group_rule ORDER BY group_rule.name"
GROUP_RULES_GIVEN = ()

BREAKS = (
    "SELECT account_break.id, account_break.client_id, account_break.kind, account_break.security, "
    "account_break.product, account_break.tradingsymbol, account_break.ours, account_break.theirs, "
    "account_break.opened_at, NULL AS order_id, ? AS problem, account_break.detail FROM "
    "account_break WHERE account_break.closed_at IS NULL ORDER BY account_break.id"
)
BREAKS_GIVEN = ("",)

UNBOOKED = (
    "SELECT unbooked_fact.id, unbooked_fact.client_id, ? AS kind, ? AS security, ? AS product, ? AS "
    "tradingsymbol, ? AS ours, ? AS theirs, unbooked_fact.at AS opened_at, unbooked_fact.order_id, "
    "unbooked_fact.problem, ? AS detail FROM unbooked_fact WHERE unbooked_fact.closed_at IS NULL AND "
    "unbooked_fact.client_id IS NOT NULL ORDER BY unbooked_fact.id"
)
UNBOOKED_GIVEN = (
    "fact",
    "",
    "",
    "",
    0,
    0,
    "",
)

SALES = (
    "SELECT closed_lot.client_id, fill.order_id AS order_id, closed_lot.tradingsymbol, "
    "closed_lot.product, closed_lot.quantity, closed_lot.cost_paise, closed_lot.proceeds_paise, "
    "closed_lot.charges_paise, closed_lot.lot_charges_paise, closed_lot.opened_on, "
    "closed_lot.trading_date, closed_lot.closed_at FROM closed_lot JOIN fill ON fill.id = "
    "closed_lot.fill_id ORDER BY closed_lot.id"
)
SALES_GIVEN = ()

NOTED_DAYS = (
    "SELECT txn.client_id, txn.trading_date, CAST((SELECT coalesce(sum(fill.charges_paise), ?) AS "
    "coalesce_1 FROM fill WHERE fill.client_id = txn.client_id AND fill.trading_date = "
    "txn.trading_date) AS BIGINT) AS anon_1, CAST(sum(posting.amount_paise) AS BIGINT) AS sum_1 FROM "
    "txn JOIN posting ON posting.txn_id = txn.id WHERE txn.kind IN (?, ?) AND posting.account = ? "
    "GROUP BY txn.client_id, txn.trading_date"
)
NOTED_DAYS_GIVEN = (
    0,
    "rerate",
    "note",
    "charges",
)

NOTED_DAYS_OF_CLIENT = (
    "SELECT txn.client_id, txn.trading_date, CAST((SELECT coalesce(sum(fill.charges_paise), ?) AS "
    "coalesce_1 FROM fill WHERE fill.client_id = txn.client_id AND fill.trading_date = "
    "txn.trading_date) AS BIGINT) AS anon_1, CAST(sum(posting.amount_paise) AS BIGINT) AS sum_1 FROM "
    "txn JOIN posting ON posting.txn_id = txn.id WHERE txn.kind IN (?, ?) AND posting.account = ? "
    "AND txn.client_id = ? GROUP BY txn.client_id, txn.trading_date"
)
NOTED_DAYS_OF_CLIENT_GIVEN = (
    0,
    "rerate",
    "note",
    "charges",
    ":client",
)

SALES_OF_CLIENT = (
    "SELECT closed_lot.client_id, fill.order_id AS order_id, closed_lot.tradingsymbol, "
    "closed_lot.product, closed_lot.quantity, closed_lot.cost_paise, closed_lot.proceeds_paise, "
    "closed_lot.charges_paise, closed_lot.lot_charges_paise, closed_lot.opened_on, "
    "closed_lot.trading_date, closed_lot.closed_at FROM closed_lot JOIN fill ON fill.id = "
    "closed_lot.fill_id WHERE closed_lot.client_id = ? ORDER BY closed_lot.id"
)
SALES_OF_CLIENT_GIVEN = (":client",)
