director {
  start_delay = "5s"
}

director {  # ERROR: Duplicate director block
  keep_table = false
}
