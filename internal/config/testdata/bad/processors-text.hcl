director {
  keeper_processors = "3-2"  # ERROR: Invalid processors
}
