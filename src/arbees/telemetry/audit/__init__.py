"""The audit log: lines made from the journal, their files, and their proof."""
