virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["web.example.org"]  # ERROR: Invalid address
}
