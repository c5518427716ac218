virtual_router "outside" {
  interface = file("no-such-file")  # ERROR: Error in function call
  id        = 51
  addresses = ["10.13.0.200/24"]
}
