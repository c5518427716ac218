director {
  keeper_processors = "2,7"  # ERROR: No such processor
}

virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
}
