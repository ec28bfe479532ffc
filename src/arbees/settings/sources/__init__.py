"""Where settings come from: `arbees.toml`, `.env`, the environment, and flags."""
