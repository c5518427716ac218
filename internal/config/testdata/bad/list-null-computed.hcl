virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [for a in ["10.13.0.200/24", null] : a]  # ERROR: Missing item
}
