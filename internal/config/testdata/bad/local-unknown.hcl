locals {
  outside = "eth0"
}

virtual_router "outside" {
  interface = local.outsid  # ERROR: Unknown local "outsid"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
