director {
  start_delay = "ten"  # ERROR: Invalid duration
}
