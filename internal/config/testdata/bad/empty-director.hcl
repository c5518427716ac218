director {  # ERROR: Empty configuration
  http { listen = "127.0.0.1:9112" }
}
