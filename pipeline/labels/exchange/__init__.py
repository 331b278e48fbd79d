"""Labels to other programs and back: tables, Label Studio, Praat, Hugging Face datasets."""
