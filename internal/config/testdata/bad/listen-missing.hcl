director {
  http {}  # ERROR: Missing listen
}
