"""The sections of the Practise page, in the order in which a learner meets them."""
