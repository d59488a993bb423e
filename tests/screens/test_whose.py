"""Clients at several brokers: found by `broker:groww`, turned to by a key, counted and named by broker."""

from pathlib import Path

from screens.frame.whose import ready_by_broker
from screens.orders.found import filter_of
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tradedesk.cli.views.overview import status_shape
from widgets.livegrid import LiveGrid


def grid(bench: Bench, name: str) -> LiveGrid:
    return bench.screen.query_one(name, LiveGrid)


def brokers(bench: Bench, name: str) -> list[str]:
    return [bench.desk.clients.get(key).broker for key in grid(bench, name).shown_keys]  # type: ignore[arg-type]


async def test_clients_of_one_broker_are_filtered_turned_to_and_counted() -> None:
    async with opened((200, 50)) as bench:
        clients = bench.desk.clients.all()
        of_groww = [client.id for client in clients if client.broker == "groww"]
        assert 0 < len(of_groww) < len(clients)
        assert "broker" in [column.key for column in grid(bench, "#clients").columns]
        await bench.keys("f", *"broker:gro", "enter")
        assert brokers(bench, "#clients") == ["groww"] * len(of_groww)
        await bench.keys("escape", *["left_curly_bracket"] * 3)
        assert brokers(bench, "#clients") == ["groww"] * len(of_groww), "turned back past zerodha and upstox"
        title = next(line for line in bench.lines() if "Clients 50" in line)
        assert "broker:groww" in title
        await bench.keys("7", "f", *"b:groww", "enter")
        assert brokers(bench, "#gate") == ["groww"] * len(of_groww)
        told = status_shape(bench.desk).brokers
        counted = [f"{one.broker} {one.ready}/{one.clients}" for one in told]
        assert "  ".join(counted) == ready_by_broker(clients, bench.desk.clients.total)
        assert ready_by_broker(clients, bench.desk.clients.total) in bench.text
        assert (
            sum(one.available_paise for one in told)
            == bench.desk.funds.total(client.id for client in clients).available_paise
        )


async def test_orders_are_filtered_by_their_clients_broker(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        clients = bench.desk.clients
        of = {client.broker: client.code for client in clients.all() if client.gate is None}
        await bench.rest_orders(of["groww"], of["zerodha"])
        keep = filter_of(bench.desk, "broker:groww buy")
        found = [clients.get(one.client_id).code for one in bench.desk.orders.all() if keep(one)]
        assert found == [of["groww"]]
