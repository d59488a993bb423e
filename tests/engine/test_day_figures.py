"""The day's figures of a client, added up by hand against what the desk says."""

from pathlib import Path

from data.vocabulary import Product, SizingKind
from engine.accounts.values import ClientValue
from engine.desk import Desk
from tests.desks import buy, carry_out, paper_desk, sell
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of

RUPEE = 100


def value_of(desk: Desk, client: int) -> ClientValue:
    """A client's value at the prices of now."""
    desk.valuation.revalue(desk.valuation.keys())
    return desk.valuation.client(client)


async def quoted(desk: Desk, last_paise: int) -> None:
    """Have RELIANCE trade at a price after a close of 2,450.50."""
    exchange_of(desk).pin("RELIANCE", last_paise, 245050)
    await desk.market.fetch({"NSE:RELIANCE"})


async def test_a_client_who_sold_out_at_a_loss_lost_a_part_of_the_portfolio(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        rohan = desk.clients.find("RG1008").id
        opening = desk.funds.of(rohan).available_paise
        assert value_of(desk, rohan).opening_paise == opening
        await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 22, rohan))
        exchange_of(desk).pin("RELIANCE", 244200, 239520)
        await desk.market.fetch({"NSE:RELIANCE"})
        await carry_out(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 22, rohan))
        value = value_of(desk, rohan)
        assert value.day_pnl_paise == 22 * (244200 - 245050) == -187 * RUPEE
        assert value.net_day_pnl_paise == value.day_pnl_paise - value.charges_today_paise
        assert value.charges_today_paise > 0
        assert value.opening_paise == opening
        assert value.portfolio_paise == opening + value.net_day_pnl_paise
        assert value.net_day_bps == round(value.net_day_pnl_paise * 10_000 / opening)


async def test_a_loan_is_no_part_of_the_portfolio(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        amit = desk.clients.find("AP1022").id
        opening = value_of(desk, amit).portfolio_paise
        for product in (Product.MTF, Product.MIS):
            await carry_out(
                desk, buy("INFY", SizingKind.FIXED_QUANTITY, 20, amit, product=product, again=True)
            )
            value = value_of(desk, amit)
            assert value.opening_paise == opening
            assert value.portfolio_paise == opening - value.charges_today_paise
        funds = desk.funds.of(amit)
        assert min(funds.mtf_loan_paise, funds.intraday_loan_paise) > 0


async def test_shares_of_yesterday_count_from_the_close_and_todays_from_their_cost(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        rohan = desk.clients.find("RG1008").id
        await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 10, rohan))
        await next_day(desk)
        await quoted(desk, 247000)
        opening = value_of(desk, rohan).opening_paise
        await carry_out(desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 3, rohan))
        await quoted(desk, 247500)
        gained = 10 * (247500 - 245050) + 3 * (247500 - 247000)
        assert value_of(desk, rohan).day_pnl_paise == gained
        await carry_out(desk, sell("RELIANCE", SizingKind.FIXED_QUANTITY, 8, rohan))
        value = value_of(desk, rohan)
        assert value.day_pnl_paise == gained
        assert value.opening_paise == opening
