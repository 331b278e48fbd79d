"""Labels to other programs and back: tables, Label Studio, Praat, Hugging Face datasets."""

from pipeline.labels.exchange.tables import export_labels, write_export

__all__ = ["export_labels", "write_export"]
