start_delay = "5s"  # ERROR: Unknown argument "start_delay"
