virtual_router "outside" {
  interface = "${IFACE}"  # ERROR: Unknown variable "IFACE"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
