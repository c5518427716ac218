virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  on "any" { run = ["notify"] } # ERROR: Not an absolute path
}
