"""Commands that prepare: init, config, keys, doctor, drill, pre-flight."""
