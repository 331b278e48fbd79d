"""What learners come back for: lessons, their own tries, what to mend next, and progress."""
