director {
  keep_table = "yes"  # ERROR: Wrong type for keep_table
}
