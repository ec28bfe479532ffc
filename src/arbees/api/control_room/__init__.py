"""The control room at `/`: what the gateway does and believes, and the red button."""
