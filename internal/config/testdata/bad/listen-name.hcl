director {
  http { listen = "localhost:9112" }  # ERROR: Invalid listen
}
