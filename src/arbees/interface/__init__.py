"""What the outside may ask and is told: views, and the ports of the gateway. Pure."""
