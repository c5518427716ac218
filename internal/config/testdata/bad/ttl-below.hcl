virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  peers     = ["10.13.0.16"]
  ttl       = 64 # WARNING: TTL below min_ttl
}
