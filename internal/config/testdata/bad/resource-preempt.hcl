virtual_router "outside" { # WARNING: Resources with preempt
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  resource "command" "volume" {
    start = ["/bin/true"]
    stop  = ["/bin/true"]
  }
}
virtual_router "inside" {
  interface = "eth1"
  id        = 51
  addresses = ["192.168.1.1/24"]
}
sync_group "nat" {
  routers = ["outside", "inside"] # WARNING: Resources with preempt # WARNING: Resources with preempt
  resource "command" "other" {
    start = ["/bin/true"]
    stop  = ["/bin/true"]
  }
}
