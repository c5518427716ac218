virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "file" "load" {}  # ERROR: Number without weight
}
condition "file" "load" {
  path   = "/run/load"
  number = true
}
