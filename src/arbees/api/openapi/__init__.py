"""The interface described: the OpenAPI document and the page that people read."""
