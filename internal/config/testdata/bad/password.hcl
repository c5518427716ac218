# A password is of version 2, has 8 bytes at most, and is in no message.
virtual_router "a" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  authentication { password = "topsecret" }  # ERROR: Password too long
}

virtual_router "b" {
  interface = "eth0"
  id        = 52
  addresses = ["10.13.0.201/24"]
  authentication { password = "secret12" }  # ERROR: Password without version 2
}

virtual_router "c" {
  interface = "eth0"
  id        = 53
  version   = 2
  addresses = ["10.13.0.202/24"]
  authentication {}  # ERROR: Missing key
}

virtual_router "d" {
  interface = "eth0"
  id        = 54
  version   = 2
  addresses = ["10.13.0.203/24"]
  authentication { password = "" }  # ERROR: Empty password
}

virtual_router "e" {
  interface = "eth0"
  id        = 55
  version   = 2
  addresses = ["10.13.0.204/24"]
  authentication { password = "a\tb" }  # ERROR: Invalid password
}
