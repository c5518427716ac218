virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  dynamic "real_server" {  # ERROR: Incomplete dynamic block
    for_each = ["192.168.1.4"]
    labels   = [real_server.value]
  }
  dynamic "real_server" {
    for_each = null  # ERROR: Missing value
    labels   = [real_server.value]
    content {}
  }
  dynamic "real_server" {
    for_each = ["192.168.1.4"]
    labels   = real_server.value  # ERROR: Invalid labels
    content {}
  }
  dynamic "real_server" {
    for_each = ["192.168.1.4"]
    label    = [real_server.value]  # ERROR: Unknown argument "label"
    content {}
  }
  dynamic "real_server" {
    for_each = ["192.168.1.4"]
    iterator = "x"  # ERROR: Invalid iterator
    content {}
  }
  dynamic "real_servers" {  # ERROR: Unknown block "real_servers"
    for_each = ["192.168.1.4"]
    content {}
  }
  dynamic "real_server" {
    for_each = [1, null]
    iterator = each
    labels   = [each.value]  # ERROR: Invalid address # ERROR: Missing value
    content {}
  }
}
dynamic "virtual_service" {  # ERROR: Wrong labels
  for_each = ["10.13.0.201"]
  content {
    address = virtual_service.value
  }
}
