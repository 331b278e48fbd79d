"""All that was measured or published on one table, and that table in the forms papers and slides want."""
