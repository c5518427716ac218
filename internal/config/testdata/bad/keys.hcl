# The keys of a virtual router. What is wrong with their files is tested with these.
virtual_router "a" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  authentication {
    key "0" { file = "/etc/lvsd/a.key" }  # ERROR: Invalid key id
    key "256" { file = "/etc/lvsd/a.key" }  # ERROR: Invalid key id
    key "one" { file = "/etc/lvsd/a.key" }  # ERROR: Invalid key id
  }
}

virtual_router "b" {
  interface = "eth0"
  id        = 52
  addresses = ["10.13.0.201/24"]
  authentication {  # WARNING: Clock that is not synchronized
    key "1" { file = "/etc/lvsd/a.key" }
    key "1" { file = "/etc/lvsd/b.key" }  # ERROR: Duplicate key id
    signer = 1
  }
}

virtual_router "c" {
  interface = "eth0"
  id        = 53
  addresses = ["10.13.0.202/24"]
  authentication {
    key "1" {}  # ERROR: Missing file
    key "2" { file = "a.key" }  # ERROR: Invalid key file
    key "3" { credential = "a/b" }  # ERROR: Invalid credential
    signer = 1
  }
}

virtual_router "d" {
  interface = "eth0"
  id        = 54
  addresses = ["10.13.0.203/24"]
  authentication {
    key "1" {
      file       = "/etc/lvsd/a.key"
      credential = "a"  # ERROR: Key from two places
    }
  }
}

virtual_router "e" {
  interface = "eth0"
  id        = 55
  addresses = ["10.13.0.204/24"]
  authentication {
    key "1" { file = "/etc/lvsd/a.key" }
    signer = 2  # ERROR: Unknown signer
  }
}

virtual_router "f" {
  interface = "eth0"
  id        = 56
  addresses = ["10.13.0.205/24"]
  authentication {
    key "1" { file = "/etc/lvsd/a.key" }
    window = "1500ms"  # ERROR: Invalid window
  }
}

virtual_router "g" {
  interface = "eth0"
  id        = 57
  addresses = ["10.13.0.206/24"]
  authentication {
    key "1" { file = "/etc/lvsd/a.key" }
    replay = "order"
    window = "5s"  # ERROR: Unused window
  }
}

virtual_router "h" {
  interface = "eth0"
  id        = 58
  addresses = ["10.13.0.207/24"]
  authentication {
    key "1" { file = "/etc/lvsd/a.key" }
    window = "6m"  # ERROR: Invalid window
    mode   = "strict"  # ERROR: Unknown mode "strict"
  }
}

virtual_router "x" {
  interface = "eth0"
  id        = 91
  addresses = ["10.13.0.241/24"]
  authentication {  # ERROR: Missing signer
    key "1" { file = "/etc/lvsd/a.key" }
    key "2" { file = "/etc/lvsd/b.key" }
  }
}

virtual_router "y" {
  interface = "eth0"
  id        = 92
  version   = 2
  addresses = ["10.13.0.242/24"]
  authentication {
    password = "secret12"  # ERROR: Password beside keys
    key "1" { file = "/etc/lvsd/a.key" }
  }
}

virtual_router "z" {
  interface = "eth0"
  id        = 93
  version   = 2
  addresses = ["10.13.0.243/24"]
  authentication {
    password = "secret12"
    mode     = "enforce"  # ERROR: Unused mode
  }
}
