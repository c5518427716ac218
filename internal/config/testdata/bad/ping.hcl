virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  peers = ["10.13.0.16"]
  track "ping" "a" {  # ERROR: Missing addresses
    minimum = 2
  }
  track "ping" "b" { addresses = [] }              # ERROR: No address
  track "ping" "c" {
    addresses = ["10.13.0.1", "10.13.0.1", "0.0.0.0"]  # ERROR: Duplicate address # ERROR: Invalid address
  }
  track "ping" "d" {
    addresses = ["10.13.0.1", "10.13.0.2"]
    minimum   = 3  # ERROR: Invalid minimum
  }
  track "ping" "e" { addresses = ["www.example.org"] }  # ERROR: Invalid address
}
