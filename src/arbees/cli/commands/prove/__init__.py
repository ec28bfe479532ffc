"""Commands that prove: audit, explain, replay, drill, pre-flight, rehearsals."""
