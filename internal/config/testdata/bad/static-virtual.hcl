virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}

static {
  address "10.13.0.200/32" { interface = "eth0" }  # ERROR: Virtual address that is static
}
