virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "interface" "lo" {}
}
condition "interface" "eth1" {  # WARNING: Unused condition
  up_after = "10s"
}
condition "interface" "lo" {
  up_after = "10s"
}
