"""Files that a person sends from a browser: received, checked, looked over, and only then imported as a set."""
