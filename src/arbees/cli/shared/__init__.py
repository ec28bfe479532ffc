"""What commands share: output, prompts, exit codes, and the way to the gateway."""
