dynamic "virtual_service" {
  for_each = range(1000)
  labels   = ["web${virtual_service.value}"]
  content {
    address = cidrhost("10.14.0.0/16", virtual_service.value + 1)  # WARNING: 1000 addresses held by nobody
    port    = 80
    forward = "nat"
    real_server "192.168.1.4" {}
  }
}
