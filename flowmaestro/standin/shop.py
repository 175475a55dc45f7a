"""The stock of the example shop and what its suppliers offer. Names decide, so that a demonstration can be repeated."""

from __future__ import annotations

from typing import Any, Final
from zlib import crc32

WAREHOUSES: Final = ("Rotterdam", "Leipzig", "Lyon", "Gdansk")
ARTICLES: Final = (
    *("BED-OAK-01", "BLB-E27-06", "BLB-GU10-10", "CHR-ESY-02", "CHR-OAK-04", "DSK-STD-01", "LMP-ARC-01"),
    *("LMP-DSK-05", "LMP-FLR-08", "LMP-PAP-03", "MIR-RND-02", "RUG-WOL-07", "SHF-PIN-03", "SOF-LIN-02"),
    *("TBL-DIN-05", "TBL-WAL-02"),
)
PAGE: Final = 6  # articles
SUPPLIERS: Final = ("norden", "baltica", "adria")


def stock(sku: str) -> dict[str, Any]:
    """How many there are of an article, whatever its name."""
    number = crc32(sku.upper().encode())
    available = 0 if number % 5 == 0 else number % 60
    return {"sku": sku, "available": available, "warehouse": WAREHOUSES[number % len(WAREHOUSES)]}


def stock_page(page: int) -> dict[str, Any] | None:
    """A page of the whole stock, from 1, and the number of the next; None past the last."""
    skus = ARTICLES[(page - 1) * PAGE : page * PAGE] if page > 0 else ()
    if not skus:
        return None
    following = page + 1 if page * PAGE < len(ARTICLES) else None
    return {"page": page, "articles": [stock(sku) for sku in skus], "next": following}


def offer(supplier: str, sku: str) -> dict[str, Any] | None:
    """What a supplier wants for an article, in cents apiece, and in lots of how many; None for one it does not have."""
    number = crc32(f"{supplier}/{sku.upper()}".encode())
    if supplier not in SUPPLIERS or number % 4 == 0:
        return None
    lot, price, days = 5 * (1 + number % 4), 2_000 + number % 20_000, 2 + number % 9
    return {"supplier": supplier, "sku": sku, "lot": lot, "price": price, "days": days}
