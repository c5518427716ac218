virtual_router "lvs2" {
  interface       = "eth0"
  id              = 51
  priority        = 150
  advert_interval = "300ms"
  missed_adverts  = 100
  addresses       = ["10.13.0.200/24", "10.13.0.201/24"]

  track "ping" "10.13.0.1" {
    addresses = ["10.13.0.1"]
    timeout   = "100ms"
    interval  = "100ms"
    rise      = 1
    fall      = 150
    weight    = -20
  }

  track "ping" "10.13.0.2" {
    addresses = ["10.13.0.2"]
    timeout   = "100ms"
    interval  = "100ms"
    rise      = 1
    fall      = 150
    weight    = -20
  }

  track "ping" "2001:db8::1" {
    addresses = ["2001:db8::1"]
    timeout   = "100ms"
    interval  = "100ms"
    rise      = 1
    fall      = 150
    weight    = -20
  }

  track "ping" "resolvers" {
    addresses = ["10.13.0.53", "10.13.0.54"]
    timeout   = "100ms"
    interval  = "100ms"
    rise      = 1
    fall      = 150
    weight    = -20
  }
}
