virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  on "any" {
    run  = ["/etc/lvsd/hooks/notify"]
    user = "a b" # ERROR: Invalid user
  }
  on "stop" {
    run  = ["/etc/lvsd/hooks/notify"]
    user = "nobody" # WARNING: No other user
  }
}
