virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [cidrhosts("10.13.0.0/24", 200)]  # ERROR: Unknown function "cidrhosts"
}
