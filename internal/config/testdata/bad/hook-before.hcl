virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  on "backup" {
    run    = ["/etc/lvsd/hooks/notify"]
    before = true # ERROR: Invalid before
  }
  on "master" {
    run        = ["/etc/lvsd/hooks/notify"]
    on_failure = "stop" # ERROR: Option without before
    at_start   = true # ERROR: Option without before
  }
}
