virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    expect { status = ["2xx"] }  # ERROR: Invalid status
  }
  real_server "192.168.1.4" {}
}
