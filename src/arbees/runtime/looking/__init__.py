"""What people and programs see of a running gateway, and correct in it by hand."""
