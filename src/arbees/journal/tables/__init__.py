"""The tables that are looked up before a decision, and the schema of the journal."""
