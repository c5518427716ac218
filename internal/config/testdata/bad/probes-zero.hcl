director {
  probes_in_flight = 0  # ERROR: Invalid probes_in_flight
}
