"""What pages ask for: one module per page, and what several pages share. Services decide access and draw nothing."""
