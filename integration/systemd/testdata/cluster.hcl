virtual_router "outside" {
  interface       = "out0"
  id              = 51
  priority        = { lvs1 = 150 }[node.name]
  advert_interval = "100ms"
  addresses       = ["10.13.0.200/24"]

  on "master" { run = ["/bin/sh", "-c", "echo $(id -un) $(grep -h -e ^CapPrm -e ^CapEff /proc/self/status)"] }
}

virtual_service "web" {
  address   = "10.13.0.200"
  port      = 80
  scheduler = "wrr"
  forward   = "nat"
  real_server "10.13.0.15" { weight = 3 }
  fallback {
    address = "10.13.0.15"
    port    = 8080
  }
}
