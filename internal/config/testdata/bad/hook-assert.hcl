virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = []
  on "stop" {
    run    = ["/etc/lvsd/hooks/notify"]
    assert = "30s" # ERROR: Nothing to assert
  }
  on "master" {
    run    = ["/etc/lvsd/hooks/notify"]
    before = true
    assert = "30s" # ERROR: Nothing to assert
  }
}
