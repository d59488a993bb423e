"""Pages as they are laid out: texts, rules and fills at places in points, from the bottom left of an A4 page.

Everything is placed before anything is written, so that each page can say of how many it is one.
"""

from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any

from msgspec import Struct

WIDTH, HEIGHT = 595.28, 841.89
"""A4 in points."""

REGULAR, BOLD = "NotoSans-Regular", "NotoSans-Bold"

INK, GREY, PALE, WARNING = "#1a1a1a", "#6b6b6b", "#d9dde3", "#a61b1b"

Faces = dict[str, dict[int, float]]


class PlacedText(Struct, frozen=True):
    """A text whose baseline begins at `x`, or ends there."""

    x: float
    y: float
    text: str
    font: str
    size: float
    colour: str


class PlacedFill(Struct, frozen=True):
    """A filled rectangle; one of little height is a rule."""

    x: float
    y: float
    width: float
    height: float
    colour: str


class PlacedLogo(Struct, frozen=True):
    """The logo, within a box whose top right corner is given."""

    right: float
    top: float
    width: float
    height: float


Mark = PlacedText | PlacedFill | PlacedLogo


@cache
def faces() -> Faces:
    """The widths of each font's characters, in thousandths of its size, once both are known to reportlab."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    found: Faces = {}
    for name in (REGULAR, BOLD):
        raw = (files("tradedesk.reports.fonts") / f"{name}.ttf").read_bytes()
        font: Any = TTFont(name, BytesIO(raw))
        pdfmetrics.registerFont(font)
        found[name] = dict(font.face.charWidths)
    return found


def printable(text: str) -> str:
    """A text with `?` for each character that the font does not have."""
    known = faces()[REGULAR]
    if text.isascii():
        return text
    return "".join(sign if ord(sign) in known else "?" for sign in text)


@lru_cache(maxsize=8192)
def width_of(text: str, font: str, size: float) -> float:
    """How wide a text is, in points."""
    widths = faces()[font]
    return sum([widths.get(ord(sign), 0) for sign in text]) * size / 1000


def broken(text: str, font: str, size: float, width: float) -> list[str]:
    """A text in lines no wider than `width`; a word that is wider alone is cut."""
    if width_of(text, font, size) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width_of(longer, font, size) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        while width_of(word, font, size) > width and len(word) > 1:
            cut = len(word) - 1
            while cut > 1 and width_of(word[:cut], font, size) > width:
                cut -= 1
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    return [*lines, line]


class FileTitle(Struct, frozen=True):
    """What a file says of itself to whoever lists it."""

    title: str
    author: str
    subject: str


def written(pages: list[list[Mark]], named: FileTitle, logo: bytes | None) -> bytes:
    """Pages as a PDF file, the same bytes for the same pages."""
    from reportlab import rl_config
    from reportlab.lib.colors import HexColor
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    faces()
    rl_config.useA85 = 0  # bytes as they are, and not as letters: a fifth less of each file
    out = BytesIO()
    canvas: Any = Canvas(out, pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1)
    canvas.setTitle(named.title)
    canvas.setAuthor(named.author)
    canvas.setSubject(named.subject)
    canvas.setCreator("tradedesk")
    picture = None if logo is None else ImageReader(BytesIO(logo))
    colours: dict[str, Any] = {}
    for page in pages:
        _draw(canvas, page, colours, HexColor, picture)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Any, page: list[Mark], colours: dict[str, Any], colour_of: Any, picture: Any) -> None:
    for mark in page:
        if isinstance(mark, PlacedFill):
            canvas.setFillColor(colours.setdefault(mark.colour, colour_of(mark.colour)))
            canvas.rect(mark.x, mark.y, mark.width, mark.height, stroke=0, fill=1)
        elif isinstance(mark, PlacedLogo) and picture is not None:
            wide, high = picture.getSize()
            scale = min(mark.width / wide, mark.height / high)
            at = mark.right - wide * scale, mark.top - high * scale
            canvas.drawImage(picture, *at, wide * scale, high * scale, mask="auto")
    text = canvas.beginText()
    font: tuple[str, float] | None = None
    colour = ""
    for mark in page:
        if not isinstance(mark, PlacedText) or not mark.text:
            continue
        if (mark.font, mark.size) != font:
            font = mark.font, mark.size
            text.setFont(*font)
        if mark.colour != colour:
            colour = mark.colour
            text.setFillColor(colours.setdefault(colour, colour_of(colour)))
        text.setTextOrigin(round(mark.x, 2), round(mark.y, 2))
        text.textOut(mark.text)
    canvas.drawText(text)
