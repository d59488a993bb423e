"""What is typed for a conversion."""

from data.errors import BadInput
from data.vocabulary import Product


def product_from(text: str) -> Product:
    """A product as typed. Raises `BadInput`."""
    try:
        return Product(text.strip().upper())
    except ValueError:
        raise BadInput("product", text, "give mis, mtf or cnc") from None
