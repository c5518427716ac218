virtual_router "outside" {  # ERROR: Missing addresses
  interface = "eth0"
  id        = 51
  address   = ["10.13.0.200/24"]  # ERROR: Unknown argument "address"
  interval  = "1s"  # ERROR: Unknown argument "interval"
  weight    = 3  # ERROR: Unknown argument "weight"
  status    = 200  # ERROR: Unknown argument "status"
  director {}  # ERROR: Unknown block "director"
}
