"""How many windows of each class a batch has."""

from collections.abc import Mapping

from pipeline.wakeword.data.clips import Label


def batch_sizes(batch: int, shares: Mapping[Label, float]) -> dict[Label, int]:
    """`batch` windows divided by the shares of the classes (at least one of each with a share); what rounding leaves is
    of the largest."""
    wanted = {label: shares[label] for label in Label if shares.get(label, 0.0) > 0}
    total = sum(wanted.values())
    sizes = {label: max(1, round(batch * share / total)) for label, share in wanted.items()}
    largest = max(sizes, key=sizes.__getitem__)
    sizes[largest] += batch - sum(sizes.values())
    return sizes
