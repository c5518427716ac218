virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = [
    "10.13.0.0/24",  # WARNING: Address of the network
    "10.13.0.255/24",  # WARNING: Broadcast address
    "10.13.1.0/31",  # WARNING: Address of no network
    "10.13.1.1/31",  # WARNING: Address of no network
    "10.13.2.0/32",
    "10.14.0.0/8",
  ]
}
