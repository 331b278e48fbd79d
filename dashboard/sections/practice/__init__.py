"""The sections of the Practice page, in the order in which a learner meets them."""
