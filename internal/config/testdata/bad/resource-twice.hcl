virtual_router "outside" {
  interface = "eth0"
  id        = 51
  preempt   = false
  addresses = ["10.13.0.200/24"]
  resource "mount" "/srv" { device = "/dev/sdb1" } # WARNING: No other user
}
virtual_router "inside" {
  interface = "eth1"
  id        = 51
  preempt   = false
  addresses = ["192.168.1.1/24"]
  resource "mount" "/srv" { device = "/dev/sdb1" } # ERROR: Duplicate resource "/srv" # WARNING: No other user
}
