virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
}
condition "cable" "eth1" {}  # ERROR: Unknown condition "cable"
