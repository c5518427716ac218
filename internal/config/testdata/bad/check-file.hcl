virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "file" { weight = "percent" }  # ERROR: Missing path
  check "file" { path = "run/weight" }  # ERROR: Relative path
  check "file" {
    path   = "/run/weight"
    weight = "half"  # ERROR: Unknown weight "half"
  }
  check "file" {  # ERROR: Weight of a file that is absent
    path   = "/run/weight"
    weight = "absolute"
    absent = true
  }
  real_server "192.168.1.4" {}
}
