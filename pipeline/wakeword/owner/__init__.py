"""Whose voice says the word: enrolment by a few takes, and a second stage that compares voices."""
