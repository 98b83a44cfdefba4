"""Amounts as vendors write them: in the smallest units of a currency, or in whole money."""

from decimal import Decimal

from connectors.errors import Rejected

MOST = Decimal(10) ** 15  # more than any payment; text like 1e999999 fills the memory when it is written out

# Digits behind the point where they are not two: https://docs.stripe.com/currencies (minor units; it keeps two for UGX
# and ISK, which have none). PortOne also counts in smallest units: https://developers.portone.io/sdk/ko/v2-sdk/payment-request
_WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


def digits(currency: str) -> int:
    """Digits behind the point: 0 for KRW and JPY, 3 for KWD, 2 for most."""
    return 0 if currency.upper() in _WHOLE else 3 if currency.upper() in _THREE else 2


def major(units: int, currency: str) -> Decimal:
    """Vendors' smallest units as money: 1050 in USD is 10.50, 15000 in KRW is 15000."""
    return Decimal(units).scaleb(-digits(currency))


def minor(amount: Decimal, currency: str) -> int:
    """Money in the smallest units. Raises Rejected if the currency has no coin that small."""
    units = positive(amount).scaleb(digits(currency))
    if units != units.to_integral_value():
        raise Rejected(f"amount: {currency.upper()} has {digits(currency)} digits behind the point")
    return int(units)


def positive(amount: Decimal) -> Decimal:
    """The amount itself. Raises Rejected for what is no amount to give back."""
    if not amount.is_finite() or not 0 < amount < MOST:
        raise Rejected("amount: it must be more than nothing, and possible")
    return amount
