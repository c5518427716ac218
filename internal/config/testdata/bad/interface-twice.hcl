virtual_router "outside" {
  interface = "eth7"  # WARNING: No interface "eth7" on this machine
  id        = 51
  addresses = ["10.13.0.200/24"]
}
virtual_router "inside" {
  interface = "eth7"
  id        = 52
  addresses = ["10.13.0.201/24"]
}
