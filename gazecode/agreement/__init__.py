"""Do models look where people look? Metrics, comparisons with chance and ceiling, programs."""

from gazecode.agreement.item import Item, Marks

__all__ = ["Item", "Marks"]
