virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "exec" { timeout = "5s" }  # ERROR: Missing run
  check "exec" { run = ["check.sh"] }  # ERROR: Not an absolute path
  check "exec" {
    run  = []  # ERROR: No program
    port = 80  # ERROR: Unused port
  }
  check "exec" {
    run  = ["/etc/lvsd/programs/check"]
    user = "no body"  # ERROR: Invalid user
  }
  real_server "192.168.1.4" {}
}
