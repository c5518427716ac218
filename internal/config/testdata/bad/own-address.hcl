# eth1 has no other address than 192.168.1.251.
virtual_router "inside" {
  interface = "eth1"
  id        = 51
  priority  = 150
  addresses = ["192.168.1.251/24"]  # ERROR: The director's own address
}
