/* Locals may stand anywhere and need each other in any order. */ virtual_router "outside" {
  interface = local.outside
  id        = local.ids["outside"]
  addresses = [cidrhost(local.network, 200), cidrhost(local.network, -2)]
  peers     = [for name, address in local.directors : address if name != node.name]
  source    = local.directors[node.name]
}

locals {
  ids       = merge({ outside = 51 }, { inside = 52 })
  network   = cidrsubnet("10.13.0.0/16", 8, 0)
  directors = { lvs1 = cidrhost(local.network, 15), lvs2 = cidrhost(local.network, 16) }
}

locals {
  outside = try(env.OUTSIDE, "eth0")
  servers = concat([for i in range(2) : format("192.168.1.%d", 4 + i)], split(" ", "192.168.2.2 192.168.2.3"))
  weights = { "192.168.1.4" = 3 }
  note    = <<-EOT
    Text } of { several lines, ${join(", ", ["with \"quotes\" }", "and }"])}
    $${no expression} %{if true}but ${"this ${"is"}"}%{endif}
    EOT
}

virtual_service "web" {
  address = split("/", "10.13.0.200/24")[0] # } not { counted
  port    = 80
  forward = "nat"
  dynamic "real_server" {
    for_each = local.servers
    iterator = it
    labels   = ["node-${it.key}"]
    content {
      address = it.value
      weight  = lookup(local.weights, it.value, 1)
    }
  }
}

dynamic "virtual_service" {
  for_each = { http = 8080, https = 8443 }
  labels   = [virtual_service.key]
  content {
    address = "10.13.0.254"
    port    = virtual_service.value
    forward = "direct"
    // the check's name is the service's
    dynamic "check" {
      for_each = [virtual_service.key]
      labels   = [check.value]
      content {
        path = chomp(trimspace(file("path.txt")))
      }
    }
    real_server "192.168.1.4" {
      weight = null
    }
  }
}
