"""A screen that fails to paint does not take the emergency keys down."""

from screens.halt.screen import CertificateScreen
from tests.screens.bench import opened
from tradedesk.testing import toasts_shown


async def test_f9_works_though_the_screen_cannot_be_painted() -> None:
    async with opened() as bench:

        def broken() -> None:
            raise ZeroDivisionError("a figure")

        bench.screen.on_frame = broken
        for _ in range(3):
            bench.app.frame()
        await bench.pilot.pause(0.01)
        assert toasts_shown(bench.app) == ["this screen could not be painted (a figure); the log says more"]
        bench.app.complained = ""
        del bench.screen.on_frame
        await bench.f9()
        await bench.f9()
        assert isinstance(bench.screen, CertificateScreen)
