director {
  start_delay = 10  # ERROR: Missing unit
}
